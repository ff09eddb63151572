using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.Extensions.Primitives;

namespace Datacake.AspNetCore.DataProtection;

/// <summary>
/// The key manager of data protection, whose keys are also read again when another node has changed them. Without it, the keys in memory are up to a day old.
/// </summary>
sealed class RefreshedKeyManager(XmlKeyManager inner, DatacakeXmlRepository repository) : IKeyManager, IDeletableKeyManager
{
    public bool CanDeleteKeys => inner.CanDeleteKeys;

    public IKey CreateNewKey(DateTimeOffset activationDate, DateTimeOffset expirationDate) => inner.CreateNewKey(activationDate, expirationDate);

    public IReadOnlyCollection<IKey> GetAllKeys() => inner.GetAllKeys();

    public void RevokeKey(Guid keyId, string? reason = null) => inner.RevokeKey(keyId, reason);

    public void RevokeAllKeys(DateTimeOffset revocationDate, string? reason = null) => inner.RevokeAllKeys(revocationDate, reason);

    public bool DeleteKeys(Func<IKey, bool> shouldDelete) => inner.DeleteKeys(shouldDelete);

    public CancellationToken GetCacheExpirationToken() => repository.ExpireWith(inner.GetCacheExpirationToken());
}
