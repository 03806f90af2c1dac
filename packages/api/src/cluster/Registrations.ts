/**
 * Who may be a worker here: registration, takeover of sessions, and proof of a session on every later call
 * (the rules stand in worker.proto).
 */
import { SessionId, type WorkerId } from "@englog/domain/Ids"
import type { GrpcCall } from "@englog/rpc/grpc/GrpcMethods"
import type { RegistrationAnswer, SessionProof, WorkerRegistration } from "@englog/rpc/grpc/WorkerMessages"
import { describeIdentity, mayBe } from "@englog/rpc/grpc/WorkerIdentity"
import { Attribute } from "@englog/platform/telemetry/Attributes"
import { Context, Effect, Layer, Option, Redacted, Schema } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { randomBytes, randomUUID, timingSafeEqual } from "node:crypto"
import { hashOf } from "../crypto/SecretHash.ts"
import { AnnouncedKinds, type KindRefused } from "../kinds/AnnouncedKinds.ts"
import { LeaseRepo } from "../queue/LeaseRepo.ts"
import { TaskOutcomes } from "../queue/TaskOutcomes.ts"
import { SecurityEvents } from "../security/SecurityEvents.ts"
import { addressOf, CallLimits, type SessionMethod, type TooManyCalls } from "./CallLimits.ts"
import { ClusterConfig, Liveness } from "./ClusterConfig.ts"
import { type NewSession, WorkerSessionRepo, type WorkerSessionRow } from "./WorkerSessionRepo.ts"
import { WorkerSessions } from "./WorkerSessions.ts"

export class RegistrationRefused extends Schema.TaggedError<RegistrationRefused>()("RegistrationRefused", {
  reason: Schema.Literals(["unenrolled", "taken", "full"]),
  message: Schema.String
}) {}

/** Under mutual TLS: the call names a worker that the client certificate is not. */
export class WrongCertificate extends Schema.TaggedError<WrongCertificate>()("WrongCertificate", { message: Schema.String }) {}

/** The session is unknown, ended or replaced: the worker has to register again. */
export class SessionOver extends Schema.TaggedError<SessionOver>()("SessionOver", { message: Schema.String }) {}

type Caller = Pick<GrpcCall, "peer" | "clientCertificate">

export class Registrations extends Context.Service<Registrations, {
  readonly register: (
    registration: WorkerRegistration,
    call: Caller
  ) => Effect.Effect<RegistrationAnswer, RegistrationRefused | KindRefused | WrongCertificate | TooManyCalls | SqlError>
  /** The session that a call is made for. */
  readonly prove: (
    proof: SessionProof,
    call: Caller,
    method?: SessionMethod
  ) => Effect.Effect<WorkerSessionRow, SessionOver | WrongCertificate | TooManyCalls | SqlError>
  readonly leave: (session: WorkerSessionRow, reason: string) => Effect.Effect<void, SqlError>
}>()("@englog/api/cluster/Registrations") {
  static readonly layer = Layer.effect(
    Registrations,
    Effect.gen(function*() {
      const config = yield* ClusterConfig
      const liveness = yield* Liveness
      const repo = yield* WorkerSessionRepo
      const leases = yield* LeaseRepo
      const outcomes = yield* TaskOutcomes
      const sessions = yield* WorkerSessions
      const limits = yield* CallLimits
      const announcedKinds = yield* AnnouncedKinds
      const { record } = yield* SecurityEvents

      /** For the audit log. That an id is taken or the cluster full is no matter of security. */
      const recordRefusal = (error: unknown, { worker_id }: WorkerRegistration, call: Caller) => {
        const reason = error instanceof WrongCertificate
          ? "wrong_certificate"
          : error instanceof RegistrationRefused && error.reason === "unenrolled"
          ? "wrong_enrollment_token"
          : undefined
        return reason === undefined ? Effect.void : record({ event: "worker_refused", address: addressOf(call), detail: { reason, worker_id } })
      }

      const handBack = Effect.fnUntraced(function*(id: SessionId) {
        for (const task of yield* leases.heldBy(id)) yield* outcomes.release(task, id, "HandedBack")
      })

      /** Tasks are handed back before the session ends, or the rescuer might count them as lost. */
      const endSession = Effect.fnUntraced(function*(id: SessionId, reason: string) {
        yield* sessions.close(id)
        yield* handBack(id)
        yield* repo.end(id, reason)
        yield* handBack(id)
      })

      const register: Registrations["Service"]["register"] = Effect.fn("Registrations.register")(
        function*(registration, call) {
          yield* Effect.annotateCurrentSpan({ [Attribute.workerId]: registration.worker_id })
          yield* limits.registration(call)
          yield* checkEnrollment(config.enrollmentToken, registration, limits, call)
          yield* checkCertificate(registration.worker_id, call.clientCertificate)
          const token = randomBytes(32).toString("base64url")
          const { ended, id, resumed } = yield* repo.exclusively(Effect.gen(function*() {
            const live = yield* repo.findLive(registration.worker_id)
            const earlier = yield* earlierSession(repo, registration)
            const session: NewSession = {
              id: SessionId.make(randomUUID()),
              worker_id: registration.worker_id,
              worker_name: registration.worker_name,
              version: registration.version,
              token_hash: hashOf(token),
              protocol: registration.protocol,
              kinds: registration.kinds,
              queues: registration.queues,
              max_concurrent_tasks: registration.max_concurrent_tasks,
              address: call.peer,
              lineage: Option.match(earlier, { onNone: () => [], onSome: (row) => [row.id, ...row.lineage].slice(0, MAX_LINEAGE) }),
              lease: registration.protocol === 2 ? liveness.lease : liveness.contractLease
            }
            yield* announcedKinds.announce(registration.worker_id, registration.announced_kinds)
            if (Option.isSome(live)) {
              const resumes = Option.isSome(earlier) && earlier.value.id === live.value.id
              if (resumes) {
                yield* repo.replace(live.value.id, session)
                return { resumed: true, id: live.value.id, ended: Option.none<SessionId>() }
              }
              if (Option.isNone(call.clientCertificate)) {
                return yield* new RegistrationRefused({
                  reason: "taken",
                  message: `worker_id ${registration.worker_id} has a live session; present its token as resume_session_token, `
                    + "or choose another worker_id"
                })
              }
              // The same certificate: the worker lost its token.
              yield* handBack(live.value.id)
              yield* repo.end(live.value.id, "replaced")
            }
            const others = yield* repo.live
            if (others.length >= config.maxWorkers) {
              return yield* new RegistrationRefused({
                reason: "full",
                message: `there are already ${others.length} live workers, and MAX_WORKERS is ${config.maxWorkers}`
              })
            }
            yield* repo.insert(session)
            return { resumed: false, id: session.id, ended: Option.map(live, (row) => row.id) }
          }))
          yield* limits.proven(keyOf(hashOf(token)), id)
          if (Option.isSome(ended)) yield* endSession(ended.value, "replaced")
          yield* Effect.logInfo(resumed ? "worker resumed its session" : "worker registered").pipe(Effect.annotateLogs({
            component: "cluster",
            operation: "register_worker",
            worker_id: registration.worker_id,
            protocol: registration.protocol
          }))
          return {
            session_token: Redacted.make(token),
            heartbeat_interval: config.heartbeatInterval,
            message: resumed ? "session resumed" : "registered"
          }
        },
        (registering, registration, call) => Effect.tapError(registering, (error) => recordRefusal(error, registration, call))
      )

      const prove: Registrations["Service"]["prove"] = Effect.fn("Registrations.prove")(function*(proof, call, method = "other") {
        yield* checkCertificate(proof.worker_id, call.clientCertificate)
        const hash = hashOf(Redacted.value(proof.session_token))
        yield* limits.call(keyOf(hash), method, call)
        const session = yield* repo.findByToken(proof.worker_id, hash)
        if (Option.isNone(session) || session.value.ended) {
          yield* limits.refuted(keyOf(hash))
          return yield* new SessionOver({ message: "unknown, expired or replaced session; register again" })
        }
        yield* limits.proven(keyOf(hash), session.value.id)
        return session.value
      })

      return Registrations.of({
        register,
        prove,
        leave: Effect.fn("Registrations.leave")((session, reason) => endSession(session.id, reason === "" ? "left" : reason))
      })
    })
  )
}

/** Enough to recognize late reports of a worker that was given up again and again. */
const MAX_LINEAGE = 16

const keyOf = (hash: Uint8Array): string => Buffer.from(hash).toString("base64url")

const earlierSession = (repo: WorkerSessionRepo["Service"], registration: WorkerRegistration) =>
  Option.match(registration.resume_session_token, {
    onNone: () => Effect.succeedNone,
    onSome: (token) => repo.findToResume(registration.worker_id, hashOf(Redacted.value(token)))
  })

/** Wrong tokens are counted, and the address that sent too many is not even told whether the next one is right. */
const checkEnrollment = Effect.fnUntraced(function*(
  demanded: Option.Option<Redacted.Redacted<string>>,
  registration: WorkerRegistration,
  limits: CallLimits["Service"],
  call: Caller
) {
  if (Option.isNone(demanded)) return
  yield* limits.enrollment(call)
  const presented = Option.map(registration.enrollment_token, Redacted.value)
  const equal = Option.isSome(presented)
    && timingSafeEqual(hashOf(presented.value), hashOf(Redacted.value(demanded.value)))
  if (equal) return
  yield* limits.wrongEnrollment(call)
  return yield* new RegistrationRefused({
    reason: "unenrolled",
    message: Option.isSome(presented)
      ? "the enrollment token is wrong; set the same WORKER_ENROLLMENT_TOKEN on both sides"
      : "this server demands an enrollment token: set WORKER_ENROLLMENT_TOKEN"
  })
})

/** Under mutual TLS a call may only speak for the worker that its certificate is. */
const checkCertificate = Effect.fnUntraced(function*(worker_id: WorkerId, certificate: GrpcCall["clientCertificate"]) {
  if (Option.isNone(certificate) || mayBe(certificate.value, worker_id)) return
  return yield* new WrongCertificate({
    message: `the client certificate is that of ${describeIdentity(certificate.value)}; it may not speak for worker_id ${worker_id}`
  })
})
