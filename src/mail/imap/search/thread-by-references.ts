import {
  adopt,
  byDate,
  firstMessage,
  isWithin,
  newNode,
  nodesOf,
  sortChildren,
  type ThreadMessage,
  type ThreadNode,
} from "./thread-node.ts";

/** THREAD=REFERENCES (RFC 5256 §3): by References, and threads of one subject together. */
export function threadsByReferences(messages: readonly ThreadMessage[]): readonly ThreadNode[] {
  const roots = pruned(linked(messages));
  sortChildren(roots);
  const merged = mergedBySubject(roots.toSorted(byDate));
  sortChildren(merged);
  return merged.sort(byDate);
}

/** THREAD=REFS: by References alone, the thread with the latest message last. */
export function threadsByLinks(messages: readonly ThreadMessage[]): readonly ThreadNode[] {
  const roots = pruned(linked(messages));
  sortChildren(roots);
  const latest = new Map(roots.map((root) => [root, latestOf(root)]));
  return roots.toSorted((a, b) => (latest.get(a) ?? 0) - (latest.get(b) ?? 0) || byDate(a, b));
}

function latestOf(root: ThreadNode): number {
  return nodesOf([root]).reduce((latest, { message }) => Math.max(latest, message?.sentMs ?? 0), 0);
}

/** Steps 1 and 2: every message under what it answers to. What is nobody's child. */
function linked(messages: readonly ThreadMessage[]): readonly ThreadNode[] {
  const byId = new Map<string, ThreadNode>();
  const nodes: ThreadNode[] = [];
  const add = (message?: ThreadMessage): ThreadNode => {
    const node = newNode(message);
    nodes.push(node);
    return node;
  };
  const nodeOf = (id: string): ThreadNode => {
    const node = byId.get(id) ?? add();
    byId.set(id, node);
    return node;
  };
  for (const message of messages) {
    // (A) each reference under the one before it, unless it has its place already
    let before: ThreadNode | undefined;
    for (const id of message.references) {
      const node = nodeOf(id);
      if (before !== undefined && node.parent === undefined && !isWithin(before, node)) adopt(before, node);
      before = node;
    }
    // (B) the message under its last reference; a second one with the same ID counts as having none
    const known = message.id === undefined ? undefined : nodeOf(message.id);
    const node = known === undefined || known.message !== undefined ? add() : known;
    node.message = message;
    if (before !== undefined && node.parent === before) continue;
    if (before !== undefined && !isWithin(before, node)) adopt(before, node);
    else if (node.parent !== undefined) release(node);
  }
  return nodes.filter((node) => node.parent === undefined);
}

function release(node: ThreadNode): void {
  const { parent } = node;
  if (parent !== undefined) parent.children = parent.children.filter((each) => each !== node);
  node.parent = undefined;
}

/** Step 3: no dummies but at the root, and there only with several children. */
function pruned(roots: readonly ThreadNode[]): readonly ThreadNode[] {
  // From the leaves up: when a node's turn comes, all below it is as it will be.
  for (const node of nodesOf(roots).toReversed()) {
    node.children = node.children.flatMap((child) => (child.message === undefined ? child.children : [child]));
    for (const child of node.children) child.parent = node;
  }
  const kept: ThreadNode[] = [];
  for (const root of roots) {
    if (root.message !== undefined || root.children.length > 1) kept.push(root);
    else kept.push(...root.children);
  }
  const keptRoots = new Set(kept);
  for (const root of keptRoots) root.parent = undefined;
  return kept;
}

/** Step 5. */
function mergedBySubject(roots: readonly ThreadNode[]): ThreadNode[] {
  const table = new Map<string, ThreadNode>();
  for (const root of roots) {
    const subject = subjectOf(root);
    if (subject === "") continue;
    const known = table.get(subject);
    if (known === undefined || isBetter(root, known)) table.set(subject, root);
  }
  const left = new Set(roots);
  for (const root of roots) {
    const known = table.get(subjectOf(root));
    if (known === undefined || known === root) continue;
    left.delete(root);
    if (known.message === undefined) {
      if (root.message === undefined) for (const child of root.children) adopt(known, child);
      else adopt(known, root);
    } else if (isReply(root) && !isReply(known)) {
      adopt(known, root);
    } else {
      const both = newNode();
      left.delete(known);
      left.add(both);
      adopt(both, known);
      adopt(both, root);
      table.set(subjectOf(root), both);
    }
  }
  return [...left];
}

/** Step 5 (B): what stands for its subject is best a dummy, else no answer. */
function isBetter(root: ThreadNode, known: ThreadNode): boolean {
  if (known.message === undefined) return false;
  return root.message === undefined || (isReply(known) && !isReply(root));
}

function subjectOf(node: ThreadNode): string {
  return firstMessage(node)?.baseSubject ?? "";
}

function isReply(node: ThreadNode): boolean {
  return node.message?.isReply ?? false;
}
