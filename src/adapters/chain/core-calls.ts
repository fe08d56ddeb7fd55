import type * as v from 'valibot';
import type { Fault } from '../../domain/fault.js';
import { err, type Result } from '../../domain/result.js';
import { readAnswer } from './answers.js';
import { type CoreRpc, rpcFault } from './core-rpc.js';

/** Calls of a node whose errors are faults, and whose answers have one form. */
export interface CoreCalls {
  readonly rpc: CoreRpc;
  readonly name: string;
  /** `patient` as for CoreRpc.call. */
  ask<S extends v.GenericSchema>(
    schema: S,
    method: string,
    params?: readonly unknown[],
    patient?: boolean,
  ): Promise<Result<v.InferOutput<S>, Fault>>;
}

export function coreCalls(rpc: CoreRpc): CoreCalls {
  const { name } = rpc;
  return {
    rpc,
    name,
    async ask(schema, method, params = [], patient = false) {
      const called = await rpc.call(method, params, { patient });
      if (!called.ok) return called;
      if (!called.value.ok) return err(rpcFault(name, method, called.value.error));
      return readAnswer(schema, called.value.value, name, method);
    },
  };
}

/** How often a node is asked how far it is with a call that takes minutes, in milliseconds. */
const EVERY = 3000;

/** Waits for work of a node, and asks meanwhile how far it is; what `ask` answers or fails with changes nothing. */
export async function watched<T>(work: Promise<T>, ask: () => Promise<unknown>): Promise<T> {
  let isAsking = false;
  const timer = setInterval(() => {
    if (isAsking) return;
    isAsking = true;
    void ask().finally(() => {
      isAsking = false;
    });
  }, EVERY);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}
