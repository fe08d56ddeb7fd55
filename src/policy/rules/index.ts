import * as approvals from './approvals.js';
import * as change from './change.js';
import * as clock from './clock.js';
import * as coins from './coins.js';
import * as derivation from './derivation.js';
import * as destinations from './destinations.js';
import { possibleDuplicate } from './duplicates.js';
import * as fees from './fees.js';
import * as form from './form.js';
import { halted } from './halt.js';
import { openHours } from './hours.js';
import * as inputs from './inputs.js';
import * as life from './life.js';
import { lifetimeLimit } from './lifetime.js';
import * as limits from './limits.js';
import { lookalike } from './lookalike.js';
import * as objections from './objections.js';
import { proofOfControl } from './proof.js';
import { feeReplacements } from './replacements.js';
import * as requests from './requests.js';
import * as rolling from './rolling.js';
import type { Rule } from './rule.js';
import { screeningOfDestinations } from './screening/destinations.js';
import { screeningOfInputs, screeningPossible } from './screening/inputs.js';
import { screeningData } from './screening/missing.js';
import { screeningOfOwn } from './screening/own.js';
import { screeningSound } from './screening/sound.js';
import * as transaction from './transaction.js';
import * as young from './young.js';

/** Every rule there is. All of them run on every verdict; their order has no meaning. */
export const RULES: readonly Rule[] = [
  life.network,
  life.wallet,
  life.effective,
  life.notExpired,
  clock.clockBack,
  clock.ledgerTime,
  clock.clockJump,
  clock.snapshotAge,
  openHours,
  screeningData,
  screeningSound,
  screeningOfDestinations,
  screeningOfInputs,
  screeningPossible,
  screeningOfOwn,
  form.wellFormed,
  form.notSigned,
  form.foreignFields,
  form.shape,
  requests.requestsMatch,
  requests.requestIds,
  possibleDuplicate,
  inputs.previousTransaction,
  inputs.prevoutAgrees,
  inputs.foreignInput,
  inputs.duplicateInput,
  inputs.unknownInput,
  coins.confirmed,
  coins.mature,
  coins.frozen,
  coins.worthSpending,
  coins.forcedReuse,
  transaction.sighash,
  transaction.locktime,
  transaction.sequence,
  transaction.version,
  change.changeUnproven,
  change.changePath,
  change.changeGap,
  change.changeCount,
  change.changeDust,
  change.changeReuse,
  change.changeClaimed,
  change.selfReceive,
  destinations.destinationAllowed,
  derivation.derivation,
  derivation.indexReuse,
  proofOfControl,
  destinations.cooldown,
  destinations.destinationCap,
  destinations.scriptType,
  destinations.unspendable,
  destinations.dustPayment,
  young.youngCap,
  young.youngAggregate,
  lookalike,
  limits.batchLimit,
  limits.outputLimit,
  limits.outputCountLimit,
  limits.reserveFloor,
  ...rolling.rollingLimits,
  rolling.blockLimits,
  rolling.unconfirmedLimit,
  rolling.batchCountLimit,
  lifetimeLimit,
  fees.feeRate,
  fees.feeFloor,
  fees.feeAbsolute,
  fees.feeFraction,
  fees.feeDay,
  feeReplacements,
  approvals.tierExists,
  approvals.quorumComplete,
  approvals.notRunOut,
  approvals.everyoneCounts,
  halted,
  objections.rejected,
  objections.withdrawn,
];
