using System.Diagnostics.CodeAnalysis;
using Datacake.Data.Querying;

namespace Datacake.Data;

public abstract partial class Query<T>
{
    /// <summary>
    /// Returns the query as an <see cref="IQueryable{T}"/>, for libraries that compose these. What they add becomes the operators of this class, and is run by <c>ToListAsync</c>,
    /// <c>CountAsync</c> and the other extension methods of <see cref="QueryableExecution"/>. What has no such operator throws <see cref="NotSupportedException"/> at once.
    /// </summary>
    [RequiresDynamicCode(QueryTranslator.Requirement), RequiresUnreferencedCode(QueryTranslator.Requirement)]
    public IQueryable<T> AsQueryable() => new QueryableQuery<T>(this);
}
