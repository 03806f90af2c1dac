/** Bruno's own reader and writer of its format, which comes without types: what is used of it here. */
declare module "@usebruno/lang" {
  export const jsonToBruV2: (request: object) => string
  export const bruToJsonV2: (text: string) => unknown
  export const envJsonToBruV2: (environment: object) => string
  export const bruToEnvJsonV2: (text: string) => unknown
  export const jsonToCollectionBru: (collection: object) => string
  export const collectionBruToJson: (text: string) => unknown
}
