/** A command that cannot be understood: answered with BAD, and the session goes on. */
export class BadCommand extends Error {}
