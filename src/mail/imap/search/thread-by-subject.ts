import { adopt, byDate, newNode, sortChildren, type ThreadMessage, type ThreadNode } from "./thread-node.ts";

/** THREAD=ORDEREDSUBJECT (RFC 5256 §3): one base subject is one thread, its first message the parent of all others. */
export function threadsBySubject(messages: readonly ThreadMessage[]): readonly ThreadNode[] {
  const roots = new Map<string, ThreadNode>();
  const inOrder = messages.toSorted((a, b) => a.sentMs - b.sentMs || a.number - b.number);
  for (const message of inOrder) {
    const root = roots.get(message.baseSubject);
    if (root === undefined) roots.set(message.baseSubject, newNode(message));
    else adopt(root, newNode(message));
  }
  const threads = [...roots.values()];
  sortChildren(threads);
  return threads.sort(byDate);
}
