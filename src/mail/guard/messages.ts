import type { FoundUser, LoginAttempt, PasswordCheck } from "../passwords/index.ts";
import type { MailSettings } from "../settings/index.ts";
import type { AuditLine } from "./audit.ts";
import type { ProtocolName } from "./guard.ts";
import type { Barrier } from "./ledger.ts";
import type { TrustFiles } from "./trust.ts";

export type Answer = Barrier | PasswordCheck | FoundUser;

/** What the primary process tells one that serves. A connection's socket comes with its message. */
export type ToWorker =
  | {
      readonly kind: "begin";
      readonly settings: MailSettings;
      readonly trust: TrustFiles;
      readonly identity: Identity;
      /** Whether it is the one that receives mail. */
      readonly isReceiving: boolean;
    }
  | { readonly kind: "connection"; readonly id: number; readonly protocol: ProtocolName; readonly address: string }
  | { readonly kind: "answer"; readonly question: number; readonly answer: Answer | null }
  | { readonly kind: "trust"; readonly trust: TrustFiles }
  | { readonly kind: "settings"; readonly settings: MailSettings }
  | { readonly kind: "stop" };

/** Who a process is from its beginning on; nobody else where empty. */
export interface Identity {
  readonly uid?: number;
  readonly gid?: number;
  readonly groups?: readonly number[];
  /** Stays root, but opens files only as the user whose mail it is. */
  readonly actsAsUsers?: boolean;
}

/** What a process that serves tells the primary. */
export type FromWorker =
  | { readonly kind: "ready" }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "audit"; readonly line: AuditLine }
  | { readonly kind: "ended"; readonly id: number }
  | { readonly kind: "refuse"; readonly address: string; readonly fingerprint?: string }
  | { readonly kind: "release"; readonly fingerprint: string }
  | { readonly kind: "hold"; readonly question: number; readonly fingerprint: string }
  | {
      readonly kind: "password";
      readonly question: number;
      readonly user: string;
      readonly password: string;
      readonly attempt: LoginAttempt;
    }
  | { readonly kind: "recipient"; readonly question: number; readonly user: string }
  | { readonly kind: "user"; readonly question: number; readonly user: string; readonly address: string };
