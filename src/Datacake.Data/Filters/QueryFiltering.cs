using System.Linq.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;

namespace Datacake.Data;

/// <summary>The query filters that a query does not leave out; they hold for what it includes, too.</summary>
sealed record QueryFiltering(QueryFilterBuilder Filters, QuerySettings Settings)
{
    /// <summary>Returns the filters of a class.</summary>
    public IEnumerable<Expression<Func<T, bool>>> Of<T>() => Filters.Of<T>(Settings);

    /// <summary>True if no filter leaves an entity out.</summary>
    public bool IsShown<T>(EntityModel<T> model, T entity)
        where T : class => !Filters.Has(typeof(T)) || Of<T>().All(filter => model.Expressions.Compile(filter)(entity));
}
