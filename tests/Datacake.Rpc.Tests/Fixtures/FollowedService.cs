namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>Answers a call with nothing, and tells when the server has let go of it: that is after the caller has its reply.</summary>
sealed class FollowedService : RpcService
{
    RpcRequest _last;

    public override string Name => "followed";

    /// <summary>Makes a call, and waits until neither side has it in flight.</summary>
    public async Task CallAsync(RpcChannel channel)
    {
        (await channel.CallAsync(Name, "call", default).Soon()).Dispose();
        await IsOverAsync();
    }

    /// <summary>Waits until the last call that was answered is not in flight any more.</summary>
    public Task IsOverAsync() => Expect.Until(() => Record.Exception(() => _last.Payload.Length) is ObjectDisposedException);

    protected internal override void Register(RpcHandlers handlers) => handlers.HandleBytes("call", (request, _) =>
    {
        _last = request;
        return default;
    });
}
