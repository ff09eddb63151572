using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>Tells a node of the contexts that will work on it.</summary>
public static class ModelOfNode
{
    /// <summary>
    /// Declares the keyspaces and indexes of a context before the store takes anything from other nodes. Without it, they are declared by the first context that is
    /// used, and an index whose keyspace has changed by then is built again. <c>AddDatacakeContext</c> does it.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model of the context is not possible.</exception>
    public static DatacakeNodeOptions WithModel<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] TContext>(
        this DatacakeNodeOptions options)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(options);
        // The model is that of the class, which generated code describes; a context that works needs a node, which is not there yet.
        var context = (TContext)RuntimeHelpers.GetUninitializedObject(typeof(TContext));
        var declarations = context.Keyspaces.Select(DeclarationOf).ToArray();
        return options.WithStore(store =>
        {
            foreach (var declaration in declarations.Where(declaration => store.Declarations.All(known => known.Name != declaration.Name)))
                store.Declarations.Add(declaration);
        });
    }

    internal static KeyspaceDeclaration DeclarationOf(KeyspaceModel keyspace) =>
        new(keyspace.Name, keyspace.Entity.Policy, IndexExtraction.IndexesOf(keyspace.Entity));
}
