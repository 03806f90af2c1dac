/**
 * Why a client cannot connect, as a sentence that says what to set. grpc-js tells the last error of the connection only as
 * text (Node's and OpenSSL's), inside the status of a call.
 */
import { Option } from "effect"
import { speaksTls, type TlsFiles } from "./GrpcTls.ts"

export const explainConnection = (address: string, tls: TlsFiles, details: string): string => {
  const last = /Last error: (.*?)(?: \(\d{4}-\d\d-\d\dT[\d:.]+Z\))?\. Resolution note/.exec(details)?.[1] ?? details
  const known = speaksTls(tls) ? causes.find(({ sign }) => sign.test(last)) : undefined
  if (known !== undefined) return `${known.say(address, tls)} (${last.replace(/^Error: /, "")})`
  return `no gRPC server answers at ${address}${last === "" ? "" : ` (${last.replace(/^Error: /, "")})`}`
}

const authority = ({ caFile }: TlsFiles) => Option.getOrElse(Option.map(caFile, (file) => `TLS_CA_FILE (${file})`), () => "TLS_CA_FILE")

const causes: ReadonlyArray<{ readonly sign: RegExp; readonly say: (address: string, tls: TlsFiles) => string }> = [
  {
    sign: /expired|not yet valid/i,
    say: (address) => `the certificate of the server at ${address} is not valid today: renew it there`
  },
  {
    sign: /altnames|does not match certificate/i,
    say: (address) => `the certificate of the server at ${address} is for other names: set TLS_SERVER_NAME to one of them`
  },
  {
    sign: /self.signed|unable to (?:verify|get)|issuer certificate|unsuitable certificate purpose|unsupported certificate purpose/i,
    say: (address, tls) => `the server at ${address} shows a certificate that ${authority(tls)} does not vouch for: set it to the authority that signed it`
  },
  {
    sign: /disconnected before secure TLS|wrong version number|packet length too long|EPROTO/i,
    say: (address) => `the server at ${address} does not speak TLS: set TLS_CERT_FILE and TLS_KEY_FILE there, or unset TLS_CA_FILE, TLS_CERT_FILE and TLS_SERVER_NAME here`
  }
]
