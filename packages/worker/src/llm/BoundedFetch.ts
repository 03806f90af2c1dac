/**
 * `fetch` for answers of language models: one that goes on and on is broken off before it fills the memory, long before its
 * time is over.
 */

/** Of an answer's body: a thousand times what a good one has. */
export const ANSWER_LIMIT = 4 * 1024 * 1024

export class AnswerTooLong extends Error {
  override readonly message = `the answer is longer than ${ANSWER_LIMIT} bytes`
}

export const boundedFetch: typeof fetch = (input, init) => fetch(input, init).then(bounded)

const bounded = (response: Response): Response => {
  if (response.body === null) return response
  let size = 0
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform: (chunk, controller) => {
      size += chunk.byteLength
      if (size > ANSWER_LIMIT) controller.error(new AnswerTooLong())
      else controller.enqueue(chunk)
    }
  })
  return new Response(response.body.pipeThrough(limit), response)
}
