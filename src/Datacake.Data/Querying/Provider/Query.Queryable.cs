using System.Diagnostics.CodeAnalysis;
using Datacake.Data.Querying.Provider;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>
    /// Returns the query as an <see cref="IQueryable{T}"/>, for libraries that compose such queries. The operators that they add are
    /// translated to those of this class, and <c>ToListAsync</c>, <c>CountAsync</c> and the other extension methods of
    /// <see cref="QueryableExecution"/> run the query. An operator that cannot be translated throws <see cref="NotSupportedException"/> at
    /// once.
    /// </summary>
    [RequiresDynamicCode(QueryTranslator.Requirement), RequiresUnreferencedCode(QueryTranslator.Requirement)]
    public IQueryable<T> AsQueryable() => new QueryableQuery<T>(this);
}
