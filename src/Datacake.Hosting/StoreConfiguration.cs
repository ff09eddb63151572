using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Storage;
using Microsoft.Extensions.Configuration;

namespace Datacake.Hosting;

/// <summary>The settings of a node's store in a configuration section, named as in <see cref="ReplicatedStoreOptions"/>.</summary>
static class StoreConfiguration
{
    public static void Apply(DatacakeNodeOptions options, IConfigurationSection section)
    {
        var settings = new Dictionary<string, Action<IConfigurationSection>>(StringComparer.OrdinalIgnoreCase)
        {
            ["Durability"] = Set((store, setting) => store.Durability = setting.GetName<Durability>()),
            ["AcknowledgmentTimeout"] = Set((store, setting) => store.AcknowledgmentTimeout = setting.GetTime()),
            ["JoinTimeout"] = Set((store, setting) => store.JoinTimeout = setting.GetTime()),
            ["FormCluster"] = Set((store, setting) => store.FormCluster = setting.GetBoolean()),
            ["TakeOverNodeId"] = Set((store, setting) => store.TakeOverNodeId = setting.GetBoolean()),
            ["ExpectedNodes"] = Set((store, setting) => store.ExpectedNodes = setting.GetNumber()),
            ["ReadBeforeJoined"] = Set((store, setting) => store.ReadBeforeJoined = setting.GetBoolean()),
            ["AcceptStampsUpTo"] = Set((store, setting) => store.AcceptStampsUpTo = setting.GetDate()),
            ["ReportInterval"] = Set((store, setting) => store.ReportInterval = setting.GetTime()),
            ["StopTimeout"] = Set((store, setting) => store.StopTimeout = setting.GetTime()),
            ["MaxDocumentLength"] = Set((store, setting) => store.MaxDocumentLength = setting.GetNumber()),
            ["MaxPendingCommits"] = Set((store, setting) => store.MaxPendingCommits = setting.GetNumber()),
            ["MaxWatchBufferLength"] = Set((store, setting) => store.MaxWatchBufferLength = setting.GetLongNumber()),
            ["MaxCacheLength"] = Set((store, setting) => store.MaxCacheLength = setting.GetLongNumber()),
            ["MaxRemovedByReconcile"] = Set((store, setting) => store.MaxRemovedByReconcile = setting.GetNumber()),
            ["ScrubInterval"] = Set((store, setting) => store.ScrubInterval = setting.GetTime()),
        };
        section.Apply(settings, "a store");

        // Set one by one, so that the error of a setting that is out of its range names the setting.
        Action<IConfigurationSection> Set(Action<ReplicatedStoreOptions, IConfigurationSection> set) =>
            setting => options.WithStore(store => set(store, setting));
    }
}
