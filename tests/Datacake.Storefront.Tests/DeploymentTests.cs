using YamlDotNet.RepresentationModel;

namespace Datacake.Storefront.Tests;

/// <summary>The manifests of the Storefront: they fit together, and processes with the environment of their containers form a cluster and stop in order.</summary>
public class DeploymentTests
{
    static readonly string Folder = Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../../samples/Storefront/Deployment"));

    static readonly YamlMappingNode[] Kubernetes = Load("kubernetes.yaml");

    static YamlMappingNode Set => Kubernetes.Single(static manifest => Text(manifest, "kind") == "StatefulSet");

    static YamlMappingNode Pod => Map(Set, "spec", "template", "spec");

    static YamlMappingNode Container => (YamlMappingNode)Assert.Single(List(Pod, "containers"));

    [Fact]
    public void Nodes_find_each_other_before_they_are_ready()
    {
        string name = Text(Set, "spec", "serviceName");
        var service = Kubernetes.Single(manifest => Text(manifest, "kind") == "Service" && Text(manifest, "metadata", "name") == name);

        Assert.Equal(("None", "true"), (Text(service, "spec", "clusterIP"), Text(service, "spec", "publishNotReadyAddresses")));
        Assert.Equal("Parallel", Text(Set, "spec", "podManagementPolicy"));
        string[] seeds = [.. EnvironmentOf("storefront-0").Where(static variable => variable.Key.StartsWith("Datacake__Seeds__", StringComparison.Ordinal)).Select(static variable => variable.Value)];
        int replicas = int.Parse(Text(Set, "spec", "replicas"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(Enumerable.Range(0, replicas).Select(pod => EnvironmentOf($"storefront-{pod}")["Datacake__AdvertiseAs"]), seeds);
        Assert.Equal($"{replicas}", EnvironmentOf("storefront-0")["Datacake__Store__ExpectedNodes"]);
    }

    [Fact]
    public void Majority_stays_while_machines_are_drained()
    {
        var budget = Kubernetes.Single(static manifest => Text(manifest, "kind") == "PodDisruptionBudget");

        Assert.Equal("1", Text(budget, "spec", "maxUnavailable"));
        Assert.Equal(Text(Set, "spec", "template", "metadata", "labels", "app"), Text(budget, "spec", "selector", "matchLabels", "app"));
    }

    [Fact]
    public void Containers_are_not_root_and_have_time_to_stop()
    {
        string image = File.ReadAllText(Path.Combine(Folder, "Dockerfile"));

        Assert.Equal("true", Text(Pod, "securityContext", "runAsNonRoot"));
        Assert.Contains("\nUSER $APP_UID\n", image, StringComparison.Ordinal);
        Assert.Contains("\nSTOPSIGNAL SIGTERM\n", image, StringComparison.Ordinal);
        Assert.Contains("-chiseled", image.Split("\nFROM ")[^1], StringComparison.Ordinal);
        int pause = int.Parse(Text(Container, "lifecycle", "preStop", "sleep", "seconds"), System.Globalization.CultureInfo.InvariantCulture);
        int grace = int.Parse(Text(Pod, "terminationGracePeriodSeconds"), System.Globalization.CultureInfo.InvariantCulture);
        Assert.True(grace > pause + new Microsoft.Extensions.Hosting.HostOptions().ShutdownTimeout.TotalSeconds);
    }

    [Fact]
    public void Every_path_of_the_settings_is_on_a_volume()
    {
        string[] mounts = [.. List(Container, "volumeMounts").Select(static mount => Text(mount, "mountPath"))];
        string[] named = [.. List(Container, "volumeMounts").Select(static mount => Text(mount, "name")).Order(StringComparer.Ordinal)];
        string[] volumes = [.. List(Pod, "volumes").Select(static volume => Text(volume, "name")), .. List(Map(Set, "spec"), "volumeClaimTemplates").Select(static claim => Text(claim, "metadata", "name"))];

        Assert.Equal(volumes.Order(StringComparer.Ordinal), named);
        Assert.All(EnvironmentOf("storefront-0").Values.Where(static value => value.StartsWith('/')), path => Assert.Contains(mounts, mount => path.StartsWith(mount, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Pods_of_Kubernetes_join_become_ready_and_stop_in_order()
    {
        string[] pods = ["storefront-0", "storefront-1", "storefront-2"];
        await using var deployment = new Deployment([.. pods.Select(EnvironmentOf)], [.. pods.Select(static pod => $"{pod}.storefront-nodes")]);

        await RunAsync(deployment, Text(Container, "livenessProbe", "httpGet", "path"), Text(Container, "readinessProbe", "httpGet", "path"));
    }

    [Fact]
    public async Task Services_of_compose_join_become_ready_and_stop_in_order()
    {
        var services = Map(Assert.Single(Load("compose.yaml")), "services");
        string[] names = [.. services.Children.Keys.Select(static name => ((YamlScalarNode)name).Value!)];
        await using var deployment = new Deployment([.. names.Select(name => EnvironmentIn(Map(services, name)))], names);

        await RunAsync(deployment, "/health/live", "/health/ready");
    }

    /// <summary>Starts three processes one after another, and stops one of them as an orchestrator does.</summary>
    static async Task RunAsync(Deployment deployment, string live, string ready)
    {
        deployment.Start(0);
        await deployment.WaitAsync(0, live, System.Net.HttpStatusCode.OK);
        await deployment.WaitAsync(0, ready, System.Net.HttpStatusCode.ServiceUnavailable);
        deployment.Start(1);
        deployment.Start(2);
        for (int node = 0; node < 3; node++)
            await deployment.WaitAsync(node, ready, System.Net.HttpStatusCode.OK);
        await deployment.AddToCatalogAsync(0, "Enamel mug");
        await Eventually.WaitUntilAsync(async () => (await deployment.GetCatalogAsync(2)).Contains("Enamel mug", StringComparison.Ordinal), "the item is on the third node");

        Assert.Equal(0, await deployment.TerminateAsync(2));

        await deployment.WaitAsync(0, ready, System.Net.HttpStatusCode.OK);
        await deployment.AddToCatalogAsync(1, "Summit mug");
        Assert.Contains("has stopped.", deployment.LogOf(2), StringComparison.Ordinal);
    }

    /// <summary>Returns the environment of the container in a pod, with the names of the pod filled in.</summary>
    static Dictionary<string, string> EnvironmentOf(string pod) => List(Container, "env").ToDictionary(
        static variable => Text(variable, "name"),
        variable => ((YamlMappingNode)variable).Children.ContainsKey("valueFrom") ? pod : Text(variable, "value").Replace("$(POD_NAME)", pod, StringComparison.Ordinal));

    /// <summary>Returns the environment of a service of compose, with the variables that all services share.</summary>
    static Dictionary<string, string> EnvironmentIn(YamlMappingNode service)
    {
        var environment = Map(service, "environment");
        var variables = new Dictionary<string, string>();
        IEnumerable<YamlMappingNode> parts = environment.Children.TryGetValue("<<", out var shared) ? [(YamlMappingNode)shared, environment] : [environment];
        foreach (var (name, value) in parts.SelectMany(static part => part.Children))
        {
            if (value is YamlScalarNode { Value: { } text })
                variables[((YamlScalarNode)name).Value!] = text;
        }
        return variables;
    }

    static YamlMappingNode[] Load(string file)
    {
        var stream = new YamlStream();
        using var reader = new StreamReader(Path.Combine(Folder, file));
        stream.Load(reader);
        return [.. stream.Documents.Select(static document => (YamlMappingNode)document.RootNode)];
    }

    static YamlNode Find(YamlNode node, params ReadOnlySpan<string> path)
    {
        foreach (string name in path)
            node = ((YamlMappingNode)node).Children.TryGetValue(name, out var child) ? child : throw new InvalidOperationException($"The manifest has no {name}.");
        return node;
    }

    static string Text(YamlNode node, params ReadOnlySpan<string> path) => ((YamlScalarNode)Find(node, path)).Value!;

    static YamlMappingNode Map(YamlNode node, params ReadOnlySpan<string> path) => (YamlMappingNode)Find(node, path);

    static YamlSequenceNode List(YamlNode node, string name) => (YamlSequenceNode)Find(node, name);
}
