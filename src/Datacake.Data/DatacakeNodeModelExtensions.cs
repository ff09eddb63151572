using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using Datacake.Data.Metadata;
using Datacake.EventualConsistency;
using Datacake.EventualConsistency.Keyspaces;
using Datacake.Node;

namespace Datacake.Data;

/// <summary>Extension methods that configure the contexts of a node.</summary>
public static class DatacakeNodeModelExtensions
{
    /// <summary>
    /// Declares the keyspaces and indexes of a context before the store receives anything from other nodes. Without this call, the first
    /// context that is used declares them, and an index whose keyspace has changed by then is rebuilt. <c>AddDatacakeContext</c> calls this
    /// method.
    /// </summary>
    /// <exception cref="InvalidOperationException">The model of the context is not valid.</exception>
    public static DatacakeNodeOptions WithModel<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] TContext>(
        this DatacakeNodeOptions options)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(options);
        var declarations = DeclarationsOf<TContext>();
        return options.WithStore(store => Declare(store, declarations));
    }

    /// <summary>Declares the keyspaces and indexes of a context on a named store, like <see cref="WithModel{TContext}(DatacakeNodeOptions)"/>.</summary>
    /// <exception cref="InvalidOperationException">The model of the context is not valid.</exception>
    public static NamedStoreOptions WithModel<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] TContext>(
        this NamedStoreOptions options)
        where TContext : DatacakeContext
    {
        ArgumentNullException.ThrowIfNull(options);
        Declare(options.Settings, DeclarationsOf<TContext>());
        return options;
    }

    static KeyspaceDeclaration[] DeclarationsOf<
        [DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors | DynamicallyAccessedMemberTypes.NonPublicConstructors)] TContext>()
        where TContext : DatacakeContext
    {
        // The model belongs to the class, and generated code describes it. A usable context would need a node, which does not exist yet.
        var context = (TContext)RuntimeHelpers.GetUninitializedObject(typeof(TContext));
        return [.. context.Keyspaces.Select(DeclarationOf)];
    }

    static void Declare(ReplicatedStoreOptions store, IEnumerable<KeyspaceDeclaration> declarations)
    {
        foreach (var declaration in declarations.Where(declaration => store.Declarations.All(known => known.Name != declaration.Name)))
            store.Declarations.Add(declaration);
    }

    /// <summary>
    /// Changes the settings that new contexts start with:
    /// <c>contexts =&gt; contexts.DefaultConsistency = Consistency.LocalQuorum</c>. Can be called several times.
    /// </summary>
    /// <exception cref="ArgumentException">A setting is out of its range.</exception>
    public static DatacakeNodeOptions WithContexts(this DatacakeNodeOptions options, Action<DatacakeContextOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(configure);
        return options.WithExtensionSettings<DatacakeContextOptions>(contexts =>
        {
            configure(contexts);
            if (!Enum.IsDefined(contexts.DefaultConsistency))
                throw new ArgumentException($"The consistency level {contexts.DefaultConsistency} does not exist.", nameof(configure));
            ArgumentOutOfRangeException.ThrowIfNegative(contexts.ScanWarningThreshold, nameof(contexts.ScanWarningThreshold));
        });
    }

    internal static KeyspaceDeclaration DeclarationOf(KeyspaceModel keyspace) =>
        new(keyspace.Name, keyspace.Entity.Policy, IndexExtraction.IndexesOf(keyspace.Entity)) { Class = keyspace.Entity.Name };
}
