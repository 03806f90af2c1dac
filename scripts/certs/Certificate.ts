/**
 * X.509 certificates for development: an authority, and what it signs. Keys are RSA of 2048 bits, made by Node; node-forge
 * puts the certificates together.
 */
import { DateTime, Effect } from "effect"
import forge from "node-forge"
import { generateKeyPair, randomBytes } from "node:crypto"
import { isIP } from "node:net"
import { promisify } from "node:util"

/** PEM texts. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface Period {
  readonly from: DateTime.Utc
  readonly until: DateTime.Utc
}

export interface Signed extends Period {
  /** Empty: none. */
  readonly commonName: string
  /** Host names, IP addresses and URIs. */
  readonly names: ReadonlyArray<string>
  /** What it may be used for: serving, or calling a server that demands a certificate. */
  readonly use: "server" | "client"
}

/** Valid from an hour ago, for clocks that are slow. */
export const fromNowFor = (years: number): Effect.Effect<Period> =>
  Effect.map(DateTime.now, (now) => ({ from: DateTime.subtract(now, { hours: 1 }), until: DateTime.add(now, { years }) }))

export const authority = Effect.fnUntraced(function*(commonName: string, period: Period) {
  const keys = yield* newKeys
  return finish({
    keys,
    subject: commonName,
    issuer: forge.pki.createCertificate(),
    issuerKey: keys.key,
    period,
    extensions: [
      { name: "basicConstraints", critical: true, cA: true, pathLenConstraint: 0 },
      { name: "keyUsage", critical: true, keyCertSign: true, cRLSign: true }
    ]
  })
})

export const sign = Effect.fnUntraced(function*(by: KeyPair, signed: Signed) {
  const issuer = forge.pki.certificateFromPem(by.cert)
  return finish({
    keys: yield* newKeys,
    subject: signed.commonName,
    issuer,
    issuerKey: by.key,
    period: signed,
    extensions: [
      { name: "basicConstraints", critical: true, cA: false },
      { name: "keyUsage", critical: true, digitalSignature: true, keyEncipherment: true },
      { name: "extKeyUsage", serverAuth: signed.use === "server", clientAuth: signed.use === "client" },
      { name: "authorityKeyIdentifier", keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
      ...(signed.names.length === 0 ? [] : [{ name: "subjectAltName", altNames: signed.names.map(altName) }])
    ]
  })
})

const pair = promisify(generateKeyPair)

const newKeys = Effect.map(
  Effect.promise(() =>
    pair("rsa", {
      modulusLength: 2048,
      publicKeyEncoding: { type: "spki", format: "pem" },
      privateKeyEncoding: { type: "pkcs8", format: "pem" }
    })
  ),
  ({ privateKey, publicKey }) => ({ key: privateKey, publicKey })
)

/** Its type definitions want a tag's class here, but the library takes its type. */
const UTF8_STRING: number = forge.asn1.Type.UTF8

/** The types of RFC 5280's GeneralName. */
const altName = (name: string) =>
  isIP(name) !== 0 ? { type: 7, ip: name } : /^[a-z]+:/i.test(name) ? { type: 6, value: name } : { type: 2, value: name }

/** 126 random bits. DER wants a positive number (first bit 0) without leading zeros (second bit 1). */
export const serialNumber = (bytes: Uint8Array = randomBytes(16)): string =>
  Buffer.from(bytes.map((byte, index) => index === 0 ? (byte & 0x7f) | 0x40 : byte)).toString("hex")

const finish = (parts: {
  readonly keys: { readonly key: string; readonly publicKey: string }
  readonly subject: string
  /** One without a subject: it signs itself. */
  readonly issuer: forge.pki.Certificate
  readonly issuerKey: string
  readonly period: Period
  readonly extensions: ReadonlyArray<object>
}): KeyPair => {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = forge.pki.publicKeyFromPem(parts.keys.publicKey)
  certificate.serialNumber = serialNumber()
  certificate.validity.notBefore = DateTime.toDateUtc(parts.period.from)
  certificate.validity.notAfter = DateTime.toDateUtc(parts.period.until)
  const subject = parts.subject === ""
    ? []
    : [{ name: "commonName", value: parts.subject, valueTagClass: UTF8_STRING }]
  certificate.setSubject(subject)
  certificate.setIssuer(parts.issuer.subject.attributes.length === 0 ? subject : parts.issuer.subject.attributes)
  certificate.setExtensions([...parts.extensions, { name: "subjectKeyIdentifier" }])
  certificate.sign(forge.pki.privateKeyFromPem(parts.issuerKey), forge.md.sha256.create())
  return { cert: forge.pki.certificateToPem(certificate), key: parts.keys.key }
}
