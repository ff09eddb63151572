namespace Datacake.Data.Metadata;

/// <summary>A keyspace of a context: a name, and the class of the entities in it.</summary>
/// <param name="Name">The name in the store.</param>
/// <param name="Entity">The entity class.</param>
public sealed record KeyspaceModel(string Name, EntityModel Entity);

/// <summary>Takes the keyspaces of a context. For generated code.</summary>
public sealed class ContextModelBuilder
{
    readonly List<KeyspaceModel> _keyspaces = [];

    readonly HiddenMembers _members = new();

    /// <summary>Returns the keyspaces that were added.</summary>
    /// <exception cref="InvalidOperationException">Members of their classes that the compiler did not show are not there.</exception>
    internal IReadOnlyList<KeyspaceModel> Build()
    {
        _members.ThrowIfMissing();
        return _keyspaces;
    }

    /// <summary>Adds a keyspace.</summary>
    /// <exception cref="InvalidOperationException">The context has the name, or the entity class, already.</exception>
    public void Add(string name, EntityModel entity)
    {
        foreach (var keyspace in _keyspaces)
        {
            if (keyspace.Name == name || keyspace.Entity.Type == entity.Type)
            {
                throw new InvalidOperationException(
                    $"The context has the keyspace '{keyspace.Name}' of {keyspace.Entity.Name} already, "
                    + $"and cannot have '{name}' of {entity.Name} beside it: "
                    + "names and entity classes are unique in a context.");
            }
        }
        entity.CheckMembersOnce(_members);
        _keyspaces.Add(new KeyspaceModel(name, entity));
    }
}
