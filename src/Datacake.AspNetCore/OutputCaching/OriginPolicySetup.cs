using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.Options;

namespace Datacake.AspNetCore.OutputCaching;

/// <summary>Adds the <see cref="OriginPolicy"/> to output caching.</summary>
sealed class OriginPolicySetup(DatacakeOutputCacheStore store) : IConfigureOptions<OutputCacheOptions>
{
    public void Configure(OutputCacheOptions options) => options.AddBasePolicy(new OriginPolicy(store));
}
