import type { CommandIndex } from "./command.ts";

/** Every command there is. */
export const commands: CommandIndex = {
  groups: [{ name: "disk", summary: "an ordinary big file as a hard disk: make it, look inside, take files out" }],
  entries: [
    { words: ["disk", "create"], load: async () => (await import("./disk/create.ts")).create },
    { words: ["disk", "show"], load: async () => (await import("./disk/show.ts")).show },
    { words: ["disk", "ls"], load: async () => (await import("./disk/ls.ts")).ls },
    { words: ["disk", "cat"], load: async () => (await import("./disk/cat.ts")).cat },
    { words: ["disk", "get"], load: async () => (await import("./disk/get.ts")).get },
    { words: ["disk", "check"], load: async () => (await import("./disk/check.ts")).check },
    { words: ["tour"], load: async () => (await import("./tour.ts")).tour },
    { words: ["completion"], load: async () => (await import("./completion.ts")).completion },
    { words: ["manual"], load: async () => (await import("./manual.ts")).manual },
  ],
};
