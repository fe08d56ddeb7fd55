/** The Ledgers that are told apart by their USB product id; Speculos and the app's sources call them so, too. */
export type LedgerModel = 'nanos' | 'nanosp' | 'nanox' | 'stax' | 'flex' | 'apex';

/** As Ledger sells them. */
export const MODEL_NAMES: Readonly<Record<LedgerModel, string>> = {
  nanos: 'Ledger Nano S',
  nanosp: 'Ledger Nano S Plus',
  nanox: 'Ledger Nano X',
  stax: 'Ledger Stax',
  flex: 'Ledger Flex',
  apex: 'Ledger Nano Gen5',
};

/** What a person is told of a model, also of an unknown one. */
export function modelName(model: LedgerModel | null): string {
  return model === null ? 'Ledger' : MODEL_NAMES[model];
}

/** Whether a word is that of a model, as recordings have it. */
export const isLedgerModel = (word: string): word is LedgerModel => Object.hasOwn(MODEL_NAMES, word);
