/** How secrets of 256 random bits are stored that somebody presents again: unlike a password they need no salt and no slow hash. */
import { hash } from "node:crypto"

export const hashOf = (secret: string): Uint8Array => hash("sha256", secret, "buffer")
