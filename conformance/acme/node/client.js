// issue|revoke|change-key DIRECTORY CHALLENGE-FOLDER default|ecdsa|rsa NAME… with node's acme-client, as its documentation has it.
// Account key, certificate key and chain lie in the current folder. A refusal ends it with status 1 and its words.
const acme = require('acme-client');
const fs = require('fs');
const path = require('path');

const [verb, directoryUrl, challenges, keyType, ...names] = process.argv.slice(2);

async function kept(file, make) {
    if (!fs.existsSync(file)) fs.writeFileSync(file, await make(), { mode: 0o600 });
    return fs.readFileSync(file);
}

async function issue(client, chain) {
    const keys = { rsa: () => acme.crypto.createPrivateRsaKey(2048), ecdsa: () => acme.crypto.createPrivateEcdsaKey('P-256') };
    const [key, csr] = await acme.crypto.createCsr({ altNames: names }, keys[keyType] && await keys[keyType]());
    const answer = (token) => path.join(challenges, token);
    const certificate = await client.auto({
        csr,
        email: 'someone@conformance.test',
        termsOfServiceAgreed: true,
        skipChallengeVerification: true, // the names resolve for the server alone
        challengePriority: ['http-01'],
        challengeCreateFn: async (_, challenge, keyAuthorization) => fs.writeFileSync(answer(challenge.token), keyAuthorization),
        challengeRemoveFn: async (_, challenge) => fs.unlinkSync(answer(challenge.token)),
    });
    fs.writeFileSync(`${names[0]}.key`, key, { mode: 0o600 });
    fs.writeFileSync(chain, certificate);
}

async function main() {
    const binding = process.env.EAB_KEY_ID && { kid: process.env.EAB_KEY_ID, hmacKey: process.env.EAB_MAC_KEY };
    const accountKey = await kept('account.key', keyType === 'rsa' ? acme.crypto.createPrivateRsaKey : acme.crypto.createPrivateEcdsaKey);
    const client = new acme.Client({ directoryUrl, accountKey, externalAccountBinding: binding || {} });
    const chain = `${names[0]}.pem`;
    if (verb === 'issue') return issue(client, chain);
    await client.createAccount({ termsOfServiceAgreed: true, onlyReturnExisting: true });
    if (verb === 'revoke') return client.revokeCertificate(fs.readFileSync(chain), { reason: 4 });
    const newKey = await acme.crypto.createPrivateEcdsaKey();
    await client.updateAccountKey(newKey);
    return fs.writeFileSync('account.key', newKey, { mode: 0o600 });
}

main().catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
});
