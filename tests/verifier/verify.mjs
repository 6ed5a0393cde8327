// Verifies credentials with npm's @digitalbazaar/vc, by what it is given and nothing else: no network.
// A line of JSON in is {contexts, documents, credential}; a line out is {verified, errors}.
import {createInterface} from 'node:readline';
import {DataIntegrityProof} from '@digitalbazaar/data-integrity';
import {cryptosuite} from '@digitalbazaar/eddsa-rdfc-2022-cryptosuite';
import {checkStatus} from '@digitalbazaar/vc-bitstring-status-list';
import * as vc from '@digitalbazaar/vc';

// Whatever the libraries might still try to fetch.
globalThis.fetch = async address => { throw new Error(`fetched ${address}`); };

const suite = new DataIntegrityProof({cryptosuite});

// A key is found within the document of whoever controls it, as its address says.
function found(documents, address) {
  if(documents[address] !== undefined) {
    return documents[address];
  }
  const controller = documents[address.split('#')[0]];
  const method = controller?.verificationMethod?.find(({id}) => id === address);
  if(method === undefined) {
    throw new Error(`nothing known at ${address}`);
  }
  return {'@context': 'https://w3id.org/security/multikey/v1', ...method};
}

async function verify({documents, credential}) {
  const documentLoader = async address =>
    ({contextUrl: null, documentUrl: address, document: found(documents, address)});
  const status = ({credential}) => checkStatus({
    credential, documentLoader, suite, verifyBitstringStatusListCredential: true, verifyMatchingIssuers: true,
  });
  return vc.verifyCredential({credential, suite, documentLoader, checkStatus: status});
}

function said(error) {
  return [error?.message, ...(error?.errors ?? []).flatMap(said), ...(error?.cause ? said(error.cause) : [])];
}

for await(const line of createInterface({input: process.stdin})) {
  const result = await verify(JSON.parse(line));
  const errors = [...said(result.error), ...said(result.statusResult?.error)].filter(Boolean);
  const revoked = result.statusResult?.results?.some(({status}) => status) ?? null;
  console.log(JSON.stringify({verified: result.verified, revoked, errors}));
}
