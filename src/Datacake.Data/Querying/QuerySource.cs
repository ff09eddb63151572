using Datacake.Data.Querying.Filters;

namespace Datacake.Data.Querying;

/// <summary>The source of the entities of a query.</summary>
/// <param name="Context">The context.</param>
/// <param name="Model">The model of the entity class. The entities may be of a derived class.</param>
/// <param name="Settings">The settings of the query.</param>
sealed record QuerySource(IQueryContext Context, EntityModel Model, QuerySettings Settings)
{
    /// <inheritdoc cref="QuerySettings.IsTracking"/>
    public bool IsTracking => Settings.IsTracking;

    /// <summary>Gets the query filters that are not ignored.</summary>
    public QueryFiltering Filtering => new(Context.QueryFilters, Settings);

    /// <inheritdoc cref="QuerySettings.Identities"/>
    public RunIdentities? Identities => Settings.Identities;
}
