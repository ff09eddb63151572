using System.ComponentModel;
using System.Linq.Expressions;
using Datacake.Data.Querying;

namespace Datacake.Data.Metadata;

/// <summary>Takes the query filters of a context. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class QueryFilterBuilder
{
    readonly Dictionary<Type, List<QueryFilter>> _filters = [];

    /// <summary>Adds a condition that is part of every query for entities of class <typeparamref name="T"/>.</summary>
    /// <param name="name">The name to leave it out by; null if it has none.</param>
    /// <param name="condition">The condition, which may use members of the context.</param>
    public void Add<T>(string? name, Expression<Func<T, bool>> condition)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(condition);
        if (!_filters.TryGetValue(typeof(T), out var filters))
            _filters.Add(typeof(T), filters = []);
        filters.Add(new QueryFilter(name, OrdinalNormalizer.Normalize(condition)));
    }

    /// <summary>Returns the filters of a class that are not left out.</summary>
    internal IEnumerable<Expression<Func<T, bool>>> Of<T>(QuerySettings settings)
    {
        if (_filters.Count == 0 || !_filters.TryGetValue(typeof(T), out var filters))
            return [];
        return filters.Where(filter => !settings.Ignores(filter.Name)).Select(filter => (Expression<Func<T, bool>>)filter.Condition);
    }

    /// <summary>True if the class has filters.</summary>
    internal bool Has(Type type) => _filters.ContainsKey(type);
}
