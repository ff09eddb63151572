using Datacake.Administration;
using Datacake.Data;
using Datacake.EventualConsistency;
using Datacake.Node;
using Datacake.Rpc;
using Datacake.Storage;

namespace Datacake.Hosting;

/// <summary>The settings of a node in a configuration section, named as in the options that they set.</summary>
static class NodeConfiguration
{
    static readonly Dictionary<string, string> Packages = new(StringComparer.OrdinalIgnoreCase)
    {
        ["sqlite"] = "Reference the package Datacake.Sqlite and call options.AddSqlite() before FromConfiguration.",
        ["lmdb"] = "Reference the package Datacake.Lmdb and call options.AddLmdb() before FromConfiguration.",
        ["postgresql"] = "Reference the package Datacake.PostgreSql and call options.AddPostgreSql() before FromConfiguration.",
    };

    enum GossipProfile
    {
        Lan,
        Wan,
        Local,
    }

    public static void Read(SettingsReader settings, DatacakeNodeOptions options)
    {
        settings.ReadInteger("NodeId", value => options.WithNodeId(value));
        settings.ReadInteger("NodeIdFromHostName", value => options.WithNodeIdFromHostName(value));
        settings.ReadText("ListenOn", value => options.ListenOn(value));
        settings.ReadText("AdvertiseAs", value => options.AdvertiseAs(value));
        settings.ReadTexts("Seeds", values => options.WithSeeds(values));
        settings.ReadTexts("Follows", values => options.AsFollower([.. values]));
        settings.ReadText("DataCenter", value => options.InDataCenter(value));
        settings.ReadText("ClusterId", value => options.WithClusterId(value));
        settings.ReadText("ClusterSecret", value => options.WithClusterSecret(value));
        settings.ReadFileText("ClusterSecretFile", value => options.WithClusterSecret(value));
        settings.ReadTexts("AcceptedClusterSecrets", values => options.WithAcceptedClusterSecrets(values));
        settings.ReadFileTexts("AcceptedClusterSecretFiles", values => options.WithAcceptedClusterSecrets(values));
        settings.ReadTexts("OperatorKeys", values => options.WithOperatorKeys(values));
        settings.ReadFileTexts("OperatorKeyFiles", values => options.WithOperatorKeys(values));
        settings.ReadBoolean("AllowAnyone", value =>
        {
            if (value)
                options.AllowAnyone();
        });
        settings.ReadSection("Tls", "TLS", tls => options.WithTls(ReadTls(tls)));
        settings.ReadTime("MaxClockDifference", value => options.WithMaxClockDifference(value));
        settings.ReadPairs("Labels", (name, value) => options.WithLabel(name, value));
        settings.ReadSection("Gossip", "the gossip", gossip => ReadGossip(gossip, options));
        settings.ReadName<GossipTransport>("GossipTransport", value => options.WithGossipTransport(value));
        settings.ReadSection("RpcLimits", "the limits of connections", limits => ReadLimits(limits, options));
        settings.ReadSection("Storage", "the storage", storage => ReadStorage(storage, options, options));
        settings.ReadSection("Store", "a store", store => ReadStore(store, options));
        settings.ReadSections("Stores", "a named store", (name, store) => ReadNamedStore(name, store, options));
        settings.ReadSection("Contexts", "contexts", contexts => ReadContexts(contexts, options));
        settings.ReadSection("Administration", "the administration", administration => ReadAdministration(administration, options));
        settings.ReadSection("Backups", "the backups", backups => ReadBackups(backups, options));
        settings.ReadTime("WaitForJoin", value => options.WaitForJoin(value));
    }

    static RpcTls ReadTls(SettingsReader settings)
    {
        var tls = new RpcTls();
        settings.ReadFile(nameof(tls.CertificateFile), value => tls.CertificateFile = value);
        settings.ReadFile(nameof(tls.CertificateKeyFile), value => tls.CertificateKeyFile = value);
        settings.ReadFile(nameof(tls.TrustedIssuersFile), value => tls.TrustedIssuersFile = value);
        settings.ReadBoolean(nameof(tls.RequireClientCertificate), value => tls.RequireClientCertificate = value);
        settings.ReadText(nameof(tls.ServerName), value => tls.ServerName = value);
        settings.ReadTime(nameof(tls.ReloadInterval), value => tls.ReloadInterval = value);
        settings.ReadName<System.Security.Cryptography.X509Certificates.X509RevocationMode>(nameof(tls.Revocation), value => tls.Revocation = value);
        return tls;
    }

    static void ReadGossip(SettingsReader settings, DatacakeNodeOptions options)
    {
        var gossip = new GossipOptions();
        Read(gossip);
        if (gossip.FindErrors().FirstOrDefault() is { Message: { } message, Option: var option })
            throw new ArgumentException(message, option);
        options.WithGossip(Read);

        void Read(GossipOptions gossip)
        {
            settings.ReadName<GossipProfile>("Profile", profile => _ = profile switch
            {
                GossipProfile.Wan => gossip.UseWan(),
                GossipProfile.Local => gossip.UseLocal(),
                _ => gossip.UseLan(),
            });
            settings.ReadTime(nameof(gossip.Interval), value => gossip.Interval = value);
            settings.ReadNumber(nameof(gossip.PhiThreshold), value => gossip.PhiThreshold = value);
            settings.ReadTime(nameof(gossip.MinSilence), value => gossip.MinSilence = value);
            settings.ReadTime(nameof(gossip.InitialHeartbeatInterval), value => gossip.InitialHeartbeatInterval = value);
            settings.ReadTime(nameof(gossip.MaxHeartbeatInterval), value => gossip.MaxHeartbeatInterval = value);
            settings.ReadTime(nameof(gossip.ExchangeTimeout), value => gossip.ExchangeTimeout = value);
            settings.ReadTime(nameof(gossip.KeepAlive), value => gossip.KeepAlive = value);
            settings.ReadTime(nameof(gossip.ForgetAfter), value => gossip.ForgetAfter = value);
            settings.ReadTime(nameof(gossip.TombstoneLifetime), value => gossip.TombstoneLifetime = value);
            settings.ReadTime(nameof(gossip.SeedResolveInterval), value => gossip.SeedResolveInterval = value);
        }
    }

    static void ReadLimits(SettingsReader settings, DatacakeNodeOptions options)
    {
        if (new DatacakeNodeOptions().WithRpcLimits(Read).FindLimitError() is { } error)
            throw error;
        options.WithRpcLimits(Read);

        void Read(RpcLimits limits)
        {
            settings.ReadInteger(nameof(limits.MessageSize), value => limits.MessageSize = value);
            settings.ReadInteger(nameof(limits.HeaderSize), value => limits.HeaderSize = value);
            settings.ReadLong(nameof(limits.BufferedBytes), value => limits.BufferedBytes = value);
            settings.ReadLong(nameof(limits.TotalBufferedBytes), value => limits.TotalBufferedBytes = value);
            settings.ReadInteger(nameof(limits.CallsInFlight), value => limits.CallsInFlight = value);
            settings.ReadInteger(nameof(limits.Connections), value => limits.Connections = value);
            settings.ReadInteger(nameof(limits.HandshakesPerHost), value => limits.HandshakesPerHost = value);
            settings.ReadTime(nameof(limits.HandshakeTime), value => limits.HandshakeTime = value);
            settings.ReadInteger(nameof(limits.StreamWindow), value => limits.StreamWindow = value);
            settings.ReadTime(nameof(limits.KeepAlive), value => limits.KeepAlive = value);
            settings.ReadTime(nameof(limits.IdleTime), value => limits.IdleTime = value);
        }
    }

    /// <param name="settings">The settings of the storage.</param>
    /// <param name="options">The options of the node, which know the kinds of storage.</param>
    /// <param name="store">The store that the storage is for.</param>
    static void ReadStorage(SettingsReader settings, DatacakeNodeOptions options, IStorageChoice store)
    {
        StorageKind? kind = null;
        settings.ReadText("Kind", name => kind = FindKind(options, name), isRequired: true);
        if (kind is null)
            settings.IgnoreUnknown();
        else
            store.UseStorage(kind.Configure(settings));
    }

    static StorageKind FindKind(DatacakeNodeOptions options, string name) =>
        options.StorageKinds.FirstOrDefault(known => known.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new ArgumentException(
                $"The storage '{name}' is not available. "
                + Packages.GetValueOrDefault(name, $"Use one of {string.Join(", ", Packages.Keys.Union(options.StorageKinds.Select(known => known.Name)))}."));

    static void ReadStore(SettingsReader settings, DatacakeNodeOptions options)
    {
        // First on other options, so that a setting that is refused leaves nothing behind.
        new DatacakeNodeOptions().WithStore(Read);
        options.WithStore(Read);

        void Read(ReplicatedStoreOptions store) => ReadStore(settings, store);
    }

    static void ReadNamedStore(string name, SettingsReader settings, DatacakeNodeOptions options)
    {
        // First on other options, as for the node's own store.
        new DatacakeNodeOptions().WithStore(name, Read);
        options.WithStore(name, Read);

        void Read(NamedStoreOptions store)
        {
            settings.ReadSection("Storage", "the storage", storage => ReadStorage(storage, options, store), isRequired: true);
            settings.ReadTexts("Follows", values => store.AsFollower([.. values]));
            ReadStore(settings, store.Settings);
        }
    }

    static void ReadStore(SettingsReader settings, ReplicatedStoreOptions store)
    {
        settings.ReadName<Durability>(nameof(store.Durability), value => store.Durability = value);
        settings.ReadTime(nameof(store.AcknowledgmentTimeout), value => store.AcknowledgmentTimeout = value);
        settings.ReadTime(nameof(store.JoinTimeout), value => store.JoinTimeout = value);
        settings.ReadBoolean(nameof(store.FormCluster), value => store.FormCluster = value);
        settings.ReadBoolean(nameof(store.TakeOverNodeId), value => store.TakeOverNodeId = value);
        settings.ReadInteger(nameof(store.ExpectedNodes), value => store.ExpectedNodes = value);
        settings.ReadBoolean(nameof(store.ReadBeforeJoined), value => store.ReadBeforeJoined = value);
        settings.ReadDate(nameof(store.AcceptStampsUpTo), value => store.AcceptStampsUpTo = value);
        settings.ReadTime(nameof(store.ReportInterval), value => store.ReportInterval = value);
        settings.ReadTime(nameof(store.StopTimeout), value => store.StopTimeout = value);
        settings.ReadInteger(nameof(store.MaxDocumentLength), value => store.MaxDocumentLength = value);
        settings.ReadInteger(nameof(store.MaxPendingCommits), value => store.MaxPendingCommits = value);
        settings.ReadLong(nameof(store.MaxWatchBufferLength), value => store.MaxWatchBufferLength = value);
        settings.ReadTime(nameof(store.ConsumerRetention), value => store.ConsumerRetention = value);
        settings.ReadInteger(nameof(store.MaxConsumerRecords), value => store.MaxConsumerRecords = value);
        settings.ReadBoolean(nameof(store.IsFollower), value => store.IsFollower = value);
        settings.ReadTexts(nameof(store.FollowedMembers), values => Replace(store.FollowedMembers, values));
        settings.ReadTexts(nameof(store.FollowedKeyspaces), values => Replace(store.FollowedKeyspaces, values));
        settings.ReadTime(nameof(store.FollowerRetention), value => store.FollowerRetention = value);
        settings.ReadLong(nameof(store.MaxCacheLength), value => store.MaxCacheLength = value);
        settings.ReadInteger(nameof(store.MaxRemovedByReconcile), value => store.MaxRemovedByReconcile = value);
        settings.ReadInteger(nameof(store.MaxVoters), value => store.MaxVoters = value);
        settings.ReadBoolean(nameof(store.NeverVotes), value => store.NeverVotes = value);
        settings.ReadTime(nameof(store.ScrubInterval), value => store.ScrubInterval = value);
    }

    static void Replace(ICollection<string> items, IEnumerable<string> values)
    {
        items.Clear();
        foreach (string value in values)
            items.Add(value);
    }

    static void ReadContexts(SettingsReader settings, DatacakeNodeOptions options) => options.WithContexts(contexts =>
    {
        settings.ReadName<Consistency>(nameof(contexts.DefaultConsistency), value => contexts.DefaultConsistency = value);
        settings.ReadLong(nameof(contexts.ScanWarningThreshold), value => contexts.ScanWarningThreshold = value);
    });

    static void ReadAdministration(SettingsReader settings, DatacakeNodeOptions options) => options.WithAdministration(administration =>
    {
        settings.ReadText(nameof(administration.OperatorSecret), value => administration.OperatorSecret = value);
        settings.ReadFileText("OperatorSecretFile", value => administration.OperatorSecret = value);
        settings.ReadInteger(nameof(administration.LogLines), value => administration.LogLines = value);
        settings.ReadName<Consistency>(nameof(administration.Level), value => administration.Level = value);
    });

    static void ReadBackups(SettingsReader settings, DatacakeNodeOptions options)
    {
        var backups = new BackupOptions();
        Read(backups);
        // A setting that is reported as invalid is not missing: something valid takes its place, so that the others are still checked.
        if (settings.HasRefused(nameof(backups.Folder)))
            backups.Folder ??= ".";
        if (settings.HasRefused(nameof(backups.Interval), nameof(backups.TimesOfDay)) && backups is { Interval: null, TimesOfDay.Count: 0 })
            backups.Interval = TimeSpan.FromDays(1);
        backups.Validate();
        options.WithBackups(Read);

        void Read(BackupOptions backups)
        {
            settings.ReadText(nameof(backups.Folder), value => backups.Folder = value);
            settings.ReadTime(nameof(backups.Interval), value => backups.Interval = value);
            settings.ReadTimesOfDay(nameof(backups.TimesOfDay), values => backups.TimesOfDay = values);
            settings.ReadInteger(nameof(backups.Keep), value => backups.Keep = value);
            settings.ReadTime(nameof(backups.KeepFor), value => backups.KeepFor = value);
            settings.ReadBoolean(nameof(backups.Verify), value => backups.Verify = value);
            settings.ReadTime(nameof(backups.RetryAfter), value => backups.RetryAfter = value);
        }
    }
}
