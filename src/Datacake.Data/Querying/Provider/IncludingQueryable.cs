using System.Diagnostics.CodeAnalysis;

namespace Datacake.Data.Querying.Provider;

/// <summary>A query that includes related entities, as a queryable.</summary>
[RequiresDynamicCode(QueryTranslator.Requirement), RequiresUnreferencedCode(QueryTranslator.Requirement)]
sealed class IncludingQueryable<T, TRelated>(IncludingQuery<T, TRelated> query) : QueryableQuery<T>(query), IIncludingQueryable<T, TRelated>
    where T : class
    where TRelated : class
{
    public IncludingQuery<T, TRelated> Including => query;
}
