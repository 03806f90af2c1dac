/** The service of the wire contract, for those who serve or call it; its messages stay behind the codecs. */
export { APIWorkerService } from "./gen/englog/v1/worker_pb.js"
