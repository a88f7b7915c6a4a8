import type { FoundUser, LoginAttempt, PasswordCheck } from "../passwords/index.ts";
import type { Barrier } from "./ledger.ts";
import type { Answer, FromWorker, ToWorker } from "./messages.ts";
import type { Office } from "./office.ts";

type Question = Extract<FromWorker, { readonly question: number }>;
type Unnumbered<T> = T extends unknown ? Omit<T, "question"> : never;

/** The office as a process that serves reaches it: by messages to the primary. */
export class RemoteOffice implements Office {
  readonly #send: (message: FromWorker) => void;
  readonly #open = new Map<number, (answer: Answer | null) => void>();
  #asked = 0;

  constructor(send: (message: FromWorker) => void) {
    this.#send = send;
  }

  async hold(fingerprint: string): Promise<Barrier | undefined> {
    return ((await this.#ask({ kind: "hold", fingerprint })) ?? undefined) as Barrier | undefined;
  }

  release(fingerprint: string): void {
    this.#send({ kind: "release", fingerprint });
  }

  refuse(address: string, fingerprint?: string): void {
    this.#send({ kind: "refuse", address, ...(fingerprint === undefined ? {} : { fingerprint }) });
  }

  async checkPassword(user: string, password: string, attempt: LoginAttempt): Promise<PasswordCheck> {
    return (await this.#ask({ kind: "password", user, password, attempt })) as PasswordCheck;
  }

  async checkUser(user: string, address: string): Promise<PasswordCheck> {
    return (await this.#ask({ kind: "user", user, address })) as PasswordCheck;
  }

  async findUser(user: string): Promise<FoundUser | undefined> {
    return ((await this.#ask({ kind: "recipient", user })) ?? undefined) as FoundUser | undefined;
  }

  /** To be called with what the primary answers. */
  answered({ question, answer }: Extract<ToWorker, { readonly kind: "answer" }>): void {
    this.#open.get(question)?.(answer);
    this.#open.delete(question);
  }

  #ask(question: Unnumbered<Question>): Promise<Answer | null> {
    const number = ++this.#asked;
    return new Promise((resolve) => {
      this.#open.set(number, resolve);
      this.#send({ ...question, question: number });
    });
  }
}
