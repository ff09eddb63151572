using System.ComponentModel;
using System.Linq.Expressions;
using Datacake.Data.Metadata;
using Datacake.Data.Querying;
using Datacake.Data.Querying.Analysis;
using Datacake.Data.Querying.Filters;
using Datacake.Data.Querying.Related;

namespace Datacake.Data.CodeGeneration;

/// <summary>The query filters of a context. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class QueryFilterBuilder
{
    Dictionary<Type, List<QueryFilter>>? _filters;     // null if there are none, as in most contexts

    /// <summary>Adds a condition to every query for entities of class <typeparamref name="T"/>.</summary>
    /// <param name="name">The name by which a query can ignore the filter; null if it has none.</param>
    /// <param name="condition">The condition, which may use members of the context.</param>
    public void Add<T>(string? name, Expression<Func<T, bool>> condition)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(condition);
        _filters ??= [];
        if (!_filters.TryGetValue(typeof(T), out var filters))
            _filters.Add(typeof(T), filters = []);
        filters.Add(new QueryFilter(name, OrdinalNormalizer.Normalize(condition)));
    }

    /// <summary>Returns the filters of a class, except those that the query ignores.</summary>
    internal IEnumerable<Expression<Func<T, bool>>> Of<T>(QuerySettings settings)
    {
        if (_filters is null || !_filters.TryGetValue(typeof(T), out var filters))
            return [];
        return filters.Where(filter => !settings.Ignores(filter.Name)).Select(filter => (Expression<Func<T, bool>>)filter.Condition);
    }

    internal bool IsEmpty => _filters is null;

    /// <summary>Returns true if a class has filters.</summary>
    internal bool Has(Type type) => _filters?.ContainsKey(type) == true;

    /// <summary>Throws if a filter uses related entities, because an entity found by its key is checked without loading others.</summary>
    /// <exception cref="InvalidOperationException">A filter uses related entities.</exception>
    internal void Check(ContextModel context)
    {
        if (_filters is null)
            return;
        foreach (var (type, filters) in _filters)
        {
            if (context.FindModel(type) is not { } model)
                continue;
            foreach (var condition in filters.Select(filter => filter.Condition).Where(condition => NavigationBinder.IsUsedIn(model, condition)))
            {
                throw new InvalidOperationException(
                    $"The query filter '{condition}' of {type.Name} uses related entities, which is not supported. Use properties of the entity itself: "
                    + "compare its foreign key, or store the value to filter by in the entity.");
            }
        }
    }
}
