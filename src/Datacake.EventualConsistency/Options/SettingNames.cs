namespace Datacake.EventualConsistency.Options;

/// <summary>The names of settings in messages: as an operator knows them from a configuration, and as a developer knows them from code.</summary>
static class SettingNames
{
    /// <summary>Returns the name of a setting of the store, such as <c>Store:ExpectedNodes in the configuration, or ReplicatedStoreOptions.ExpectedNodes</c>.</summary>
    public static string Of(string option) => $"Store:{option} in the configuration, or {nameof(ReplicatedStoreOptions)}.{option}";

    /// <summary>
    /// Returns a text for the operators of a store. The settings of a named store are in a section of its name: <c>Stores:catalog:ExpectedNodes</c>. Refusals come from other nodes, and findings are
    /// compared across stores, so both name settings as those of the node's own store at first.
    /// </summary>
    public static string ForStore(string text, string store) => store.Length == 0 ? text : text.Replace("Store:", $"Stores:{store}:", StringComparison.Ordinal);
}
