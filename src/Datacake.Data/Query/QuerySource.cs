using Datacake.Data.Metadata;

namespace Datacake.Data.Querying;

/// <summary>Where the entities of a query come from.</summary>
/// <param name="Context">The context.</param>
/// <param name="Model">The entity class, which they may be of a class derived from.</param>
/// <param name="Settings">How the query is run.</param>
sealed record QuerySource(DatacakeContext Context, EntityModel Model, QuerySettings Settings)
{
    /// <inheritdoc cref="QuerySettings.IsTracking"/>
    public bool IsTracking => Settings.IsTracking;

    /// <summary>Gets the query filters that are not left out.</summary>
    public QueryFiltering Filtering => new(Context.QueryFilters, Settings);

    /// <inheritdoc cref="QuerySettings.Identities"/>
    public RunIdentities? Identities => Settings.Identities;
}
