export type { Address, Envelope, MessagePart, MessageStructure, Parameters } from "./structure.ts";
