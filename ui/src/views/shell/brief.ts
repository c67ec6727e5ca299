/** A command shortened for a line that has little room. Pure. */

/** The first of several endpoints stands for all: they are long, and the same in every command. */
export const brief = (command: string): string =>
  command.replace(/(--endpoints[= ])([^\s,]+),\S+/g, (_, flag: string, first: string) => `${flag}${first},…`)
