/** Enhanced status codes of mail servers (RFC 3463): class, subject and detail. */

/** For good, and about the address: x.7 is policy, x.3 and x.4 are the server's own troubles, 5.2.2 is a full mailbox. */
export const isAddressProblem = (code: string): boolean => /^5\.[012]\./.test(code) && code !== "5.2.2"
