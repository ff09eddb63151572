using System.Diagnostics;
using System.Text;
using Datacake.Tests;
using Grpc.Core;
using Grpc.Net.Client;

namespace Datacake.Benchmarks.Serial;

/// <summary>
/// Three members of etcd on loopback, each a process with its default settings and an empty directory, which flush before they acknowledge. The calls go to the
/// leader over gRPC. The few messages are encoded here, so that protoc is not needed.
/// </summary>
sealed class EtcdCluster : IAsyncDisposable
{
    public const string System = "etcd";

    const int Members = 3;

    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(60);
    static readonly Method<byte[], byte[]> PutMethod = MethodOf("etcdserverpb.KV", "Put");
    static readonly Method<byte[], byte[]> RangeMethod = MethodOf("etcdserverpb.KV", "Range");
    static readonly Method<byte[], byte[]> StatusMethod = MethodOf("etcdserverpb.Maintenance", "Status");

    readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("datacake-benchmark-");
    readonly ReservedAddresses _addresses = new();
    readonly List<Process> _processes = [];
    readonly List<GrpcChannel> _channels = [];
    CallInvoker _leader = null!;

    /// <summary>True if the machine has etcd, which Debian's package etcd-server installs.</summary>
    public static bool IsInstalled { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(static folder => File.Exists(Path.Combine(folder, "etcd")));

    /// <summary>Starts the members and waits until they have a leader.</summary>
    public static async Task<EtcdCluster> StartAsync()
    {
        var cluster = new EtcdCluster();
        string[] clients = cluster._addresses.Next(Members), peers = cluster._addresses.Next(Members);
        string all = string.Join(',', peers.Select(static (peer, i) => $"m{i}=http://{peer}"));
        for (int i = 0; i < Members; i++)
        {
            var start = new ProcessStartInfo("etcd", [
                "--name", $"m{i}", "--data-dir", Path.Combine(cluster._folder.FullName, $"m{i}"), "--log-level", "error",
                "--listen-client-urls", $"http://{clients[i]}", "--advertise-client-urls", $"http://{clients[i]}",
                "--listen-peer-urls", $"http://{peers[i]}", "--initial-advertise-peer-urls", $"http://{peers[i]}", "--initial-cluster", all])
            {
                RedirectStandardError = true,
                RedirectStandardOutput = true,
            };
            var process = Process.Start(start)!;
            process.BeginErrorReadLine();
            process.BeginOutputReadLine();
            cluster._processes.Add(process);
            cluster._channels.Add(GrpcChannel.ForAddress($"http://{clients[i]}"));
        }
        await Replication.DatacakeCluster.WaitUntilAsync(cluster.FindLeaderAsync, "etcd has a leader", StartTimeout);
        return cluster;
    }

    public async ValueTask PutAsync(string key, byte[] value) => await CallAsync(_leader, PutMethod, [.. Field(1, Encoding.ASCII.GetBytes(key)), .. Field(2, value)]);

    /// <summary>Reads a key, linearizably.</summary>
    public async ValueTask GetAsync(string key)
    {
        byte[] reply = await CallAsync(_leader, RangeMethod, Field(1, Encoding.ASCII.GetBytes(key)));
        if (reply.Length == 0)
            throw new InvalidDataException("etcd has answered a read with nothing.");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var channel in _channels)
            channel.Dispose();
        foreach (var process in _processes)
        {
            process.Kill();
            await process.WaitForExitAsync();
            process.Dispose();
        }
        _addresses.Dispose();
        _folder.Delete(recursive: true);
    }

    async ValueTask<bool> FindLeaderAsync()
    {
        foreach (var channel in _channels)
        {
            try
            {
                byte[] reply = await CallAsync(channel.CreateCallInvoker(), StatusMethod, []);
                // The header is field 1, and has the id of the member as its field 2; the leader is field 4.
                var fields = FieldsOf(reply);
                ulong member = FieldsOf(fields.Find(static field => field.Field == 1).Bytes).Find(static field => field.Field == 2).Number;
                ulong leader = fields.Find(static field => field.Field == 4).Number;
                if (leader != 0 && member == leader)
                {
                    _leader = channel.CreateCallInvoker();
                    return true;
                }
            }
            catch (RpcException)
            {
                // The member is not up yet.
            }
        }
        return false;
    }

    static async Task<byte[]> CallAsync(CallInvoker invoker, Method<byte[], byte[]> method, byte[] request)
    {
        using var call = invoker.AsyncUnaryCall(method, null, new CallOptions(), request);
        return await call.ResponseAsync;
    }

    static Method<byte[], byte[]> MethodOf(string service, string name)
    {
        var bytes = Marshallers.Create(static content => content, static content => content);
        return new Method<byte[], byte[]>(MethodType.Unary, service, name, bytes, bytes);
    }

    /// <summary>Returns a field of bytes, of less than 128.</summary>
    static byte[] Field(int number, byte[] content) => [(byte)((number << 3) | 2), checked((byte)content.Length), .. content];

    /// <summary>Returns the fields of a message that are numbers or bytes.</summary>
    static List<(int Field, ulong Number, byte[] Bytes)> FieldsOf(byte[] message)
    {
        var fields = new List<(int, ulong, byte[])>();
        int offset = 0;
        while (offset < message.Length)
        {
            ulong tag = Number(), number = Number();
            byte[] bytes = [];
            if ((tag & 7) == 2)
            {
                bytes = message.AsSpan(offset, (int)number).ToArray();
                offset += bytes.Length;
            }
            fields.Add(((int)(tag >> 3), number, bytes));
        }
        return fields;

        ulong Number()
        {
            ulong number = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte next = message[offset++];
                number |= (ulong)(next & 0x7F) << shift;
                if (next < 0x80)
                    return number;
            }
        }
    }
}
