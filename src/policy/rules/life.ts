import { formatTime } from '../../domain/time.js';
import { finding, type Rule } from './rule.js';

export const notExpired: Rule = {
  tag: 'policy-expired',
  codes: ['POLICY_EXPIRED'],
  check: (context) => {
    const { version, expiresAt, changeControl } = context.document;
    if (context.time < expiresAt) {
      const pass = () => ({ text: `Version ${version} of the policy applies until ${formatTime(expiresAt)}.` });
      return [finding(context, 'POLICY_EXPIRED', 'pass', pass)];
    }
    const { m, from } = changeControl.sign;
    return [
      finding(
        context,
        'POLICY_EXPIRED',
        'deny',
        `Version ${version} of the policy expired at ${formatTime(expiresAt)}.`,
        {
          remedy: `let ${m} of ${from.join(' and ')} sign a new version and activate it`,
        },
      ),
    ];
  },
};

export const effective: Rule = {
  tag: 'policy-effective',
  codes: ['POLICY_NOT_EFFECTIVE'],
  check: (context) => {
    const { version, effectiveAt } = context.document;
    if (context.time >= effectiveAt) {
      const pass = () => ({ text: `Version ${version} of the policy applies since ${formatTime(effectiveAt)}.` });
      return [finding(context, 'POLICY_NOT_EFFECTIVE', 'pass', pass)];
    }
    const text = `Version ${version} of the policy applies from ${formatTime(effectiveAt)} on.`;
    const remedy = `wait until ${formatTime(effectiveAt)}, or use the version before it`;
    return [finding(context, 'POLICY_NOT_EFFECTIVE', 'deny', text, { freesAt: effectiveAt, remedy })];
  },
};

export const network: Rule = {
  tag: 'wallet-network',
  codes: ['NETWORK_MISMATCH'],
  check: (context) => {
    const policy = context.document.wallet.network;
    const vault = context.facts.vault.network;
    if (policy === vault) return [finding(context, 'NETWORK_MISMATCH', 'pass', `Policy and vault are of ${policy}.`)];
    const text = `The policy is for ${policy}, the vault is of ${vault}.`;
    return [
      finding(context, 'NETWORK_MISMATCH', 'deny', text, { remedy: 'use the policy that was made for this vault' }),
    ];
  },
};

/** Name and descriptor; the descriptor without its checksum and with hardened steps in one spelling. */
export const wallet: Rule = {
  tag: 'wallet',
  codes: ['WALLET_MISMATCH'],
  check: (context) => {
    const policy = context.document.wallet;
    const { vault } = context.facts;
    const remedy = 'use the policy that was made for this vault';
    if (policy.id !== vault.id) {
      const text = `The policy is for the wallet ${policy.id}, the vault is ${vault.id}.`;
      return [finding(context, 'WALLET_MISMATCH', 'deny', text, { field: 'wallet.id', remedy })];
    }
    const isSame = policy.descriptor === vault.descriptor;
    if (!isSame && plainDescriptor(policy.descriptor) !== plainDescriptor(vault.descriptor)) {
      const text = `The policy names another descriptor for ${policy.id} than the vault has.`;
      return [finding(context, 'WALLET_MISMATCH', 'deny', text, { remedy })];
    }
    const text = `Policy and vault are the wallet ${policy.id}, of one descriptor.`;
    return [finding(context, 'WALLET_MISMATCH', 'pass', text)];
  },
};

function plainDescriptor(descriptor: string): string {
  const [body = ''] = descriptor.split('#');
  return body.replace(/\[[^\]]*\]/g, (origin) => origin.toLowerCase().replaceAll("'", 'h'));
}
