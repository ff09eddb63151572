using System.ComponentModel;
using Datacake.Data.Metadata;

namespace Datacake.Data.CodeGeneration;

/// <summary>The builder of the keyspaces of a context. For generated code.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public sealed class ContextModelBuilder
{
    readonly List<KeyspaceModel> _keyspaces = [];

    readonly CompiledMemberCheck _members = new();

    /// <summary>Returns the model with the keyspaces that were added.</summary>
    /// <param name="context">The context class.</param>
    /// <exception cref="InvalidOperationException">
    /// The entity classes lack members that the compiler did not show to the generator.
    /// </exception>
    internal ContextModel Build(Type context)
    {
        _members.ThrowIfMissing();
        return new ContextModel(context.Name, _keyspaces);
    }

    /// <summary>Adds a keyspace.</summary>
    /// <exception cref="InvalidOperationException">The context already has a keyspace of this name or entity class.</exception>
    public void Add(string name, EntityModel entity)
    {
        foreach (var keyspace in _keyspaces)
        {
            if (keyspace.Name == name || keyspace.Entity.Type == entity.Type)
            {
                throw new InvalidOperationException(
                    $"The context already has the keyspace '{keyspace.Name}' of {keyspace.Entity.Name}, "
                    + $"so it cannot have '{name}' of {entity.Name} as well. "
                    + "Names and entity classes must be unique in a context.");
            }
        }
        entity.CheckMembersOnce(_members);
        _keyspaces.Add(new KeyspaceModel(name, entity));
    }
}
