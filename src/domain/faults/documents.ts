import type { FaultTable } from './meaning.js';

/** Reading files: YAML, JSON, CSV, requests, snapshots, policy and book documents. */
export const DOCUMENT_FAULTS = {
  E_FILE_MISSING: { exit: 'USAGE', meaning: 'a file cannot be read' },
  E_FILE_EXISTS: { exit: 'USAGE', meaning: 'a file that would be overwritten exists already' },
  E_PARSE: { exit: 'USAGE', meaning: 'a file is not well formed: encoding, BOM where none may be, NUL, nesting, size' },
  E_DUPLICATE_KEY: { exit: 'USAGE', meaning: 'a key stands twice in one object' },
  E_UNKNOWN_FIELD: { exit: 'USAGE', meaning: 'a field that the schema does not know' },
  E_MISSING_FIELD: { exit: 'USAGE', meaning: 'a mandatory field is absent or empty' },
  E_FIELD_TYPE: { exit: 'USAGE', meaning: 'a field has another type or form than the schema wants' },
  E_YAML_FEATURE: { exit: 'USAGE', meaning: 'YAML anchors, aliases, tags, merge keys or several documents' },
  E_CSV_HEADER: { exit: 'USAGE', meaning: 'the header of a CSV file is missing or has other columns' },
  E_CSV_ROW: { exit: 'USAGE', meaning: 'a CSV row has another number of columns, or bad quoting' },
  E_CSV_FORMULA: { exit: 'USAGE', meaning: 'a CSV cell begins like a spreadsheet formula' },
  E_CSV_SPACE: { exit: 'USAGE', meaning: 'a CSV cell begins or ends with a space' },
  E_REQUEST_ID: {
    exit: 'USAGE',
    meaning: 'a request id is missing, too long or has characters outside A-Z a-z 0-9 . _ : -',
  },
  E_REQUEST_DUPLICATE: { exit: 'USAGE', meaning: 'two requests of one file carry the same id' },
  E_REQUEST_EMPTY: { exit: 'USAGE', meaning: 'a file holds no request' },
  E_TEXT_UNSAFE: {
    exit: 'USAGE',
    meaning: 'a text holds control or direction-changing characters, or is too long',
  },
  E_POLICY_SCHEMA: { exit: 'USAGE', meaning: 'a policy document does not follow countersign.policy/1' },
  E_BOOK_SCHEMA: { exit: 'USAGE', meaning: 'an address book does not follow countersign.book/1' },
  E_BOOK_DUPLICATE: { exit: 'USAGE', meaning: 'an address book names one script or one id twice' },
  E_BOOK_PROOF: { exit: 'USAGE', meaning: 'a proof of control in an address book is no good signature (BIP322)' },
  E_BOOK_OWN: { exit: 'USAGE', meaning: "an address book names the vault's own descriptor as a destination" },
} as const satisfies FaultTable;
