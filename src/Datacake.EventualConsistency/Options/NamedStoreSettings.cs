using Datacake.Node;

namespace Datacake.EventualConsistency.Options;

/// <summary>The named stores that a node was configured with, and the function that configures others.</summary>
sealed class NamedStoreSettings
{
    readonly Dictionary<string, NamedStoreOptions> _stores = new(StringComparer.Ordinal);

    /// <summary>Gets or sets the function that configures a store that has no configuration of its own; null if there is none.</summary>
    public Func<string, Action<NamedStoreOptions>?>? Resolve { get; set; }

    /// <summary>Gets the names of the stores for which a storage was chosen.</summary>
    public IReadOnlyCollection<string> Names => [.. _stores.Where(static store => store.Value.OpenStorage is not null).Select(static store => store.Key)];

    /// <summary>Returns true if a storage was chosen for a store that does not merely follow.</summary>
    public bool Has(string name) => _stores.TryGetValue(name, out var options) && options.OpenStorage is not null && !options.Settings.IsFollower;

    /// <summary>Configures a store, which may have been configured before.</summary>
    /// <exception cref="ArgumentException">The name cannot be that of a store, or a setting is out of its range.</exception>
    public void Configure(string name, Action<NamedStoreOptions> configure)
    {
        DatacakeNode.CheckStoreName(name);
        if (!_stores.TryGetValue(name, out var options))
            _stores.Add(name, options = new NamedStoreOptions());
        configure(options);
        options.Settings.Validate();
    }

    /// <summary>Returns the options of a store, or null if the node is not to hold it.</summary>
    public NamedStoreOptions? Find(string name)
    {
        if (_stores.TryGetValue(name, out var options) && options.OpenStorage is not null)
            return options;
        if (Resolve?.Invoke(name) is not { } configure)
            return null;
        options ??= new NamedStoreOptions();
        configure(options);
        return options;
    }
}
