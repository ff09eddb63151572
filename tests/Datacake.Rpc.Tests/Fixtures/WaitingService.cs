namespace Datacake.Rpc.Tests.Fixtures;

/// <summary>A service whose handlers wait for their cancellation and report when they start and when they are canceled.</summary>
sealed class WaitingService : RpcService
{
    readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    readonly TaskCompletionSource _canceled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public override string Name => "test";

    public Task Started => _started.Task;

    public Task Canceled => _canceled.Task;

    protected internal override void Register(RpcHandlers handlers)
    {
        handlers.HandleBytes("wait", async (_, cancellationToken) =>
        {
            await WaitAsync(cancellationToken);
            return default;
        });
        handlers.HandleStream("wait-stream", (_, cancellationToken) => WaitAsync(cancellationToken));
    }

    async Task WaitAsync(CancellationToken cancellationToken)
    {
        _started.TrySetResult();
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }
        finally
        {
            _canceled.TrySetResult();
        }
    }
}
