namespace Datacake.EventualConsistency.Options;

/// <summary>The names of settings in messages: as an operator knows them from a configuration, and as a developer knows them from code.</summary>
static class SettingNames
{
    /// <summary>Returns the name of a setting of the store, such as <c>Store:ExpectedNodes in the configuration, or ReplicatedStoreOptions.ExpectedNodes</c>.</summary>
    public static string Of(string option) => $"Store:{option} in the configuration, or {nameof(ReplicatedStoreOptions)}.{option}";
}
