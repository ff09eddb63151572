using System.ComponentModel;

namespace Datacake.Data.CodeGeneration;

/// <summary>The entities that a new cluster starts with. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class SeedBuilder
{
    readonly List<(Type Type, Func<IEnumerable<object>> Entities)> _entities = [];

    internal IReadOnlyList<(Type Type, Func<IEnumerable<object>> Entities)> Entities => _entities;

    /// <summary>Adds entities of one class.</summary>
    public void Add<T>(Func<IEnumerable<T>> entities)
        where T : class => _entities.Add((typeof(T), entities));
}
