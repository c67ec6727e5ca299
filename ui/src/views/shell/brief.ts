/** A command shortened for a line that has little room. Pure. */

/** Several endpoints are long, and the same in every command: what was done stands behind them. */
export const brief = (command: string): string => command.replace(/(--endpoints[= ])[^\s,]+,\S+/g, '$1…')
