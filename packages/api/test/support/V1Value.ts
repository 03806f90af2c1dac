/** What the format v1 of encrypted values wrote. */
import { createCipheriv, randomBytes } from "node:crypto"

export const v1Value = (key: Uint8Array, id: string, plain: string, context: string): string => {
  const nonce = randomBytes(12)
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(`v1:${id}:${context}`))
  return `v1:${id}:${Buffer.concat([nonce, cipher.update(plain, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64url")}`
}
