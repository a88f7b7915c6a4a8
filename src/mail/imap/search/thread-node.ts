/** A place in a thread: a message, or none where only answers to it are here (a dummy). */
export interface ThreadNode {
  /** What is told of the message: its number or UID; undefined for a dummy. */
  message: ThreadMessage | undefined;
  parent: ThreadNode | undefined;
  children: ThreadNode[];
}

/** What threads are made of. */
export interface ThreadMessage {
  readonly number: number;
  readonly told: number;
  readonly sentMs: number;
  /** Message-ID without its angles. */
  readonly id: string | undefined;
  readonly references: readonly string[];
  /** RFC 5256 §2.1. */
  readonly baseSubject: string;
  readonly isReply: boolean;
}

export function newNode(message?: ThreadMessage): ThreadNode {
  return { message, parent: undefined, children: [] };
}

/** Makes `child` the last child of `parent`, wherever it was before. */
export function adopt(parent: ThreadNode, child: ThreadNode): void {
  if (child.parent !== undefined) child.parent.children = child.parent.children.filter((each) => each !== child);
  child.parent = parent;
  parent.children.push(child);
}

/** Whether `node` is `ancestor` or below it. */
export function isWithin(node: ThreadNode, ancestor: ThreadNode): boolean {
  for (let at: ThreadNode | undefined = node; at !== undefined; at = at.parent) if (at === ancestor) return true;
  return false;
}

/** Every node, children after their parents. Threads may be as deep as there are messages: nothing here calls itself. */
export function nodesOf(roots: readonly ThreadNode[]): readonly ThreadNode[] {
  const nodes = [...roots];
  for (let index = 0; index < nodes.length; index++)
    for (const child of nodes[index]?.children ?? []) nodes.push(child);
  return nodes;
}

/** The message of a node; of a dummy that of its first child. */
export function firstMessage(node: ThreadNode): ThreadMessage | undefined {
  let at: ThreadNode | undefined = node;
  while (at !== undefined && at.message === undefined) at = at.children[0];
  return at?.message;
}

/** Sorts children by the date that each was sent, those of a node before the node itself (RFC 5256 §3). */
export function sortChildren(roots: readonly ThreadNode[]): void {
  for (const node of nodesOf(roots).toReversed()) node.children.sort(byDate);
}

export function byDate(a: ThreadNode, b: ThreadNode): number {
  const [first, second] = [firstMessage(a), firstMessage(b)];
  if (first === undefined || second === undefined) return 0;
  return first.sentMs - second.sentMs || first.number - second.number;
}

/** `(3 6 (4 23)(44 7 96))` for each thread (RFC 5256 §4). */
export function threadsText(roots: readonly ThreadNode[]): string {
  const pieces: string[] = [];
  for (const root of roots) pushThread(pieces, root);
  return pieces.join("");
}

function pushThread(pieces: string[], root: ThreadNode): void {
  const waiting: (ThreadNode | ")")[] = [root];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === ")") {
      pieces.push(next);
      continue;
    }
    pieces.push("(");
    const words: number[] = [];
    let at = next;
    for (
      let only: ThreadNode | undefined = at;
      only !== undefined;
      only = at.children.length === 1 ? at.children[0] : undefined
    ) {
      at = only;
      if (at.message !== undefined) words.push(at.message.told);
    }
    pieces.push(words.join(" "), at.children.length > 0 && words.length > 0 ? " " : "");
    waiting.push(")", ...at.children.toReversed());
  }
}
