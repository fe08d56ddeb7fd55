/**
 * How often a property is tried: as often as it says, or FC_RUNS times where that is fewer. Mutation testing sets FC_RUNS,
 * because it runs a property hundreds of times, and a mutant that only one draw in a hundred shows needs a test of its own.
 */
export const runs = (wanted: number): number => Math.min(wanted, Number(process.env.FC_RUNS ?? wanted));
