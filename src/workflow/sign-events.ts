import type { DevicePreview, IdentifiedDevice, SigningProgress } from '../device/types.js';
import type { Fault } from '../domain/fault.js';
import type { ReviewedBatch } from './approve-batch.js';
import type { Debited } from './signing-steps.js';

/** What the person at the terminal sees while it happens. */
export interface SignEvents {
  /** The budget is debited: by this run, or since an earlier one. */
  reserved(from: Debited): void;
  identified(device: IdentifiedDevice, name: string): void;
  /** What this very device is going to show; again where it is asked again. */
  preview(review: ReviewedBatch, preview: DevicePreview): void;
  progress(progress: SigningProgress): void;
  /** The device is gone after so many signatures, and is awaited: what it had to sign is sent to it again. */
  unplugged(why: Fault, signatures: number): void;
}
