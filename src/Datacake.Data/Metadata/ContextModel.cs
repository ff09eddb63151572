using Datacake.Data.CodeGeneration;

namespace Datacake.Data.Metadata;

/// <summary>The model of a context class: its keyspaces, and the entity classes in them. Not thread-safe, like the context.</summary>
/// <param name="contextName">The name of the context class.</param>
/// <param name="keyspaces">The keyspaces.</param>
sealed class ContextModel(string contextName, IReadOnlyList<KeyspaceModel> keyspaces)
{
    bool? _hasRelations;

    /// <summary>Gets the name of the context class.</summary>
    public string Name => contextName;

    /// <summary>Gets the keyspaces.</summary>
    public IReadOnlyList<KeyspaceModel> Keyspaces => keyspaces;

    /// <summary>True if any entity class has relations.</summary>
    public bool HasRelations => _hasRelations ??= keyspaces.Any(static keyspace => keyspace.Entity.Relations.Count > 0);

    /// <summary>Returns the model of an entity class; null if no keyspace stores the class.</summary>
    public EntityModel? FindModel(Type type) => FindKeyspace(type)?.Entity;

    /// <summary>Returns true if a type is an entity class or a collection of one.</summary>
    public bool IsEntity(Type type) => FindEntity(type) is not null;

    /// <summary>Returns the model of an entity class, given the class or a collection of it; null for any other type.</summary>
    public EntityModel? FindEntity(Type type)
    {
        if (type == typeof(string) || type == typeof(object))
            return null;
        foreach (var keyspace in keyspaces)
        {
            if (keyspace.Entity.Type.IsAssignableFrom(type) || keyspace.Entity.CollectionType.IsAssignableFrom(type))
                return keyspace.Entity;
        }
        return null;
    }

    /// <summary>Returns the keyspace that stores entities of a class.</summary>
    /// <exception cref="InvalidOperationException">The context has no keyspace for this class.</exception>
    public KeyspaceModel KeyspaceOf(Type type) => FindKeyspace(type) ?? throw new InvalidOperationException(
        $"{contextName} has no keyspace for the class {type.Name}. "
        + $"Add the property 'public partial Keyspace<{type.Name}> {type.Name}s {{ get; }}'.");

    /// <summary>Returns the keyspace of an entity class, with its typed model.</summary>
    /// <exception cref="InvalidOperationException">The context has no keyspace of this class.</exception>
    public (KeyspaceModel Keyspace, EntityModel<T> Model) KeyspaceOf<T>()
        where T : class
    {
        var keyspace = KeyspaceOf(typeof(T));
        return keyspace.Entity is EntityModel<T> model
            ? (keyspace, model)
            : throw new InvalidOperationException(
                $"{typeof(T).Name} has no keyspace of its own: it is stored among the entities of {keyspace.Entity.Name}. "
                    + $"Use Set<{keyspace.Entity.Name}>().OfType<{typeof(T).Name}>().");
    }

    KeyspaceModel? FindKeyspace(Type type)
    {
        foreach (var keyspace in keyspaces)
        {
            if (keyspace.Entity.Type == type || keyspace.Entity.Has(type))
                return keyspace;
        }
        return null;
    }
}
