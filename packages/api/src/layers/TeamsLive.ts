/** Teams and invitations to them. */
import { Layer } from "effect"
import { InvitationRepo } from "../teams/InvitationRepo.ts"
import { Invitations } from "../teams/Invitations.ts"
import { TeamRepo } from "../teams/TeamRepo.ts"
import { Teams } from "../teams/Teams.ts"

export const TeamsLive = Invitations.layer.pipe(Layer.provideMerge(Teams.layer), Layer.provide([TeamRepo.layer, InvitationRepo.layer]))
