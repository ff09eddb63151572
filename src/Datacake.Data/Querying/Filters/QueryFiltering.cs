using System.Linq.Expressions;
using Datacake.Data.CodeGeneration;

namespace Datacake.Data.Querying.Filters;

/// <summary>The query filters that apply to a query, and to the entities that it includes.</summary>
sealed record QueryFiltering(QueryFilterBuilder Filters, QuerySettings Settings)
{
    /// <summary>Returns the filters of a class.</summary>
    public IEnumerable<Expression<Func<T, bool>>> Of<T>() => Filters.Of<T>(Settings);

    /// <summary>Returns true if an entity satisfies all filters.</summary>
    public bool IsShown<T>(EntityModel<T> model, T entity)
        where T : class => !Filters.Has(typeof(T)) || Of<T>().All(filter => model.Expressions.Compile(filter)(entity));
}
