using System.Diagnostics;
using Datacake.Benchmarks.Replication;
using Datacake.Tests;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.StackExchangeRedis;
using StackExchange.Redis;

namespace Datacake.Benchmarks.Caching;

/// <summary>A Redis server on loopback that keeps its data in memory only, as a process, and the distributed cache of .NET on it.</summary>
sealed class RedisServer : IAsyncDisposable
{
    public const string System = "Redis";

    static readonly TimeSpan StartTimeout = TimeSpan.FromSeconds(30);

    readonly ReservedAddresses _addresses = new();
    readonly Process _process;

    RedisServer()
    {
        Address = _addresses.Next(1)[0];
        var start = new ProcessStartInfo("redis-server", ["--bind", "127.0.0.1", "--port", Address[(Address.LastIndexOf(':') + 1)..], "--save", "", "--appendonly", "no"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        _process = Process.Start(start)!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        Cache = new RedisCache(new RedisCacheOptions { Configuration = Address });
    }

    /// <summary>True if the machine has Redis, which Debian's package redis-server installs.</summary>
    public static bool IsInstalled { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator).Any(static folder => File.Exists(Path.Combine(folder, "redis-server")));

    public string Address { get; }

    public RedisCache Cache { get; }

    /// <summary>Starts the server and waits until it answers.</summary>
    public static async Task<RedisServer> StartAsync()
    {
        var server = new RedisServer();
        await DatacakeCluster.WaitUntilAsync(server.AnswersAsync, "Redis answers", StartTimeout);
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        Cache.Dispose();
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        _addresses.Dispose();
    }

    async ValueTask<bool> AnswersAsync()
    {
        try
        {
            await Cache.GetAsync("key");
            return true;
        }
        catch (RedisException)
        {
            return false;       // it is still starting
        }
    }
}
