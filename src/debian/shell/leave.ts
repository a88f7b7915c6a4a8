/** How a script goes on after `exit`, `return`, `break` and `continue`. */
export class Leave extends Error {
  readonly kind: "exit" | "return" | "break" | "continue";
  readonly value: number;

  constructor(kind: Leave["kind"], value: number) {
    super(kind);
    this.kind = kind;
    this.value = value;
  }
}
