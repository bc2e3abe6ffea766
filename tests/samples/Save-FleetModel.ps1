#requires -Version 7.4
<#
.SYNOPSIS
Saves models on many machines, and gives one table of what came of it.
.DESCRIPTION
Each host is reached by SSH with PowerShell as its subsystem, several at a time. PSModel is installed there where it is missing
or older than wanted, and saves the models into the host's own store, verified as they arrive. One object a host and model tells
what happened: State is Saved, AlreadyPresent, Failed or Unreachable. A host that is down, full or silent is reported and holds
up no other one; a second run goes on where the first came to, and fetches nothing that is there.

With -Registry one host goes first alone, so that a mirror that fetches what it is asked for has all of it when the others come;
but no longer than -HeadStartSeconds.

The exit code is 1 where a model is not on a host. Nothing is asked, so that it can run scheduled, without a terminal.
.PARAMETER HostName
The hosts as Invoke-Command -HostName takes them: host, user@host or user@host:port. Empty lines of a file are none.
.PARAMETER Name
The models.
.PARAMETER Registry
The mirrors to fetch from, in place of the registry that the names tell.
.PARAMETER StorePath
The store on each host. Left out: that of its Ollama.
.PARAMETER Repository
A folder with PSModel's package, as the hosts reach it. Without it nothing is installed.
.PARAMETER ModuleVersion
An older PSModel on a host is replaced. Left out: that of this machine, where it has one.
.PARAMETER ThrottleLimit
How many hosts work at a time.
.PARAMETER ConnectionLimit
How many connections each host opens at most: the mirror has those of all hosts at once.
.PARAMETER KeyFilePath
The private key, where ssh does not find it by itself.
.PARAMETER SshOption
More options for ssh, each as in ssh_config.
.PARAMETER ConnectionTimeoutSeconds
How long a host may take to answer.
.PARAMETER SilenceTimeoutSeconds
How long a host may say nothing. While bytes arrive it says something every two seconds.
.PARAMETER HeadStartSeconds
How long the first host may have the mirror to itself. After that the others come as well, and a mirror that is still fetching may
fetch once more for each of them.
.PARAMETER AllowUnencrypted
Allows plain http to a mirror on another machine.
.PARAMETER LogPath
A file to which each event adds a line. Where that fails there is a warning, and the work goes on.
.EXAMPLE
./Save-FleetModel.ps1 -HostName (Get-Content hosts.txt) -Name gemma4:31b -Registry http://mirror:5000 -AllowUnencrypted -LogPath fleet.log | Format-Table Host, Model, State, BytesReceived, From, ErrorId
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)]
    [AllowNull()]
    [AllowEmptyCollection()]
    [AllowEmptyString()]
    [string[]] $HostName,

    [Parameter(Mandatory)]
    [string[]] $Name,

    [uri[]] $Registry,

    [string] $StorePath,

    [string] $Repository,

    [version] $ModuleVersion = (Get-Module PSModel -ListAvailable | Sort-Object Version -Descending | Select-Object -First 1).Version,

    [ValidateRange(1, 1000)]
    [int] $ThrottleLimit = 16,

    [ValidateRange(1, 64)]
    [int] $ConnectionLimit = 4,

    [string] $KeyFilePath,

    [hashtable] $SshOption = @{},

    [ValidateRange(1, 3600)]
    [int] $ConnectionTimeoutSeconds = 30,

    [ValidateRange(1, 86400)]
    [int] $SilenceTimeoutSeconds = 600,

    [ValidateRange(0, 86400)]
    [int] $HeadStartSeconds = 3600,

    [switch] $AllowUnencrypted,

    [string] $LogPath
)

$ErrorActionPreference = 'Stop'

# What each host does. It gives objects whose Event tells what they are.
$work = {
    param($Name, $Save, $Repository, $ModuleVersion)
    $ErrorActionPreference = 'Stop'
    $ProgressPreference = 'SilentlyContinue'

    function ConvertTo-Outcome($Model, $State, $Result, $From, $Problem) {
        [pscustomobject]@{
            Event             = 'Outcome'
            Model             = $Model
            State             = $State
            BytesReceived     = [long] $Result.BytesReceived
            BytesResumed      = [long] $Result.BytesResumed
            From              = $From
            ErrorId           = if ($Problem) { ($Problem.FullyQualifiedErrorId -split ',')[0] } else { $null }
            Error             = if ($Problem) { $Problem.Exception.Message } else { $null }
            RecommendedAction = if ($Problem) { $Problem.ErrorDetails.RecommendedAction } else { $null }
        }
    }

    try {
        # The first that has -Summary.
        $least = [version] '0.5'
        if ($ModuleVersion -gt $least) {
            $least = $ModuleVersion
        }

        $there = Get-Module PSModel -ListAvailable | Sort-Object Version -Descending | Select-Object -First 1
        if ((-not $there -or $there.Version -lt $least) -and $Repository) {
            # Its own name: a repository of the same name may be registered for another folder.
            $place = "PSModel-$PID"
            Register-PSResourceRepository -Name $place -Uri $Repository -Trusted
            try {
                $version = if ($ModuleVersion) { @{ Version = "[$ModuleVersion,]" } } else { @{} }
                Install-PSResource PSModel -Repository $place -Scope CurrentUser -TrustRepository @version
            }
            finally {
                Unregister-PSResourceRepository -Name $place
            }

            [pscustomobject]@{ Event = 'Installed'; Text = "PSModel from $Repository" }
        }

        Import-Module PSModel -MinimumVersion $least
    }
    catch {
        foreach ($model in $Name) {
            ConvertTo-Outcome $model Failed $null $null ([pscustomobject]@{
                FullyQualifiedErrorId = 'ModuleNotInstalled'
                Exception             = $_.Exception
                ErrorDetails          = @{ RecommendedAction = 'Install PSModel there, or give -Repository a folder that the host reaches, with the package in it.' }
            })
        }

        return
    }

    $store = if ($Save.StorePath) { @{ StorePath = $Save.StorePath } } else { @{} }
    foreach ($model in $Name) {
        $result = $null
        $problem = $null
        $said = [datetime]::MinValue
        try {
            Save-ModelBlob -Name $model -VerifyInline -Summary -IncludeProgress @Save -ErrorAction SilentlyContinue -ErrorVariable problem -WarningAction Continue 3>&1 | ForEach-Object {
                if ($_ -is [System.Management.Automation.WarningRecord]) {
                    [pscustomobject]@{ Event = 'Warning'; Text = "$_" }
                }
                elseif ($_.PSTypeNames -contains 'PSModel.ModelSaveResult') {
                    $result = $_
                }
                elseif (([datetime]::UtcNow - $said).TotalSeconds -ge 2) {
                    $said = [datetime]::UtcNow
                    [pscustomobject]@{ Event = 'Progress'; Text = '{0} of {1}: {2} %' -f $_.MediaType, $model, $_.PercentComplete }
                }
            }
        }
        catch {
            $problem = @($_)
        }

        if (-not $problem -and $result.Status -notin 'Saved', 'AlreadyPresent') {
            $problem = @([pscustomobject]@{
                FullyQualifiedErrorId = 'NotSaved'
                Exception             = [System.InvalidOperationException]::new("Save-ModelBlob gave no error, and did not save all of it: '$($result.Status)'.")
                ErrorDetails          = @{ RecommendedAction = 'See whether the profile or a policy of the host asks for leave, as $ConfirmPreference does.' }
            })
        }

        $state = if ($problem) { 'Failed' } else { $result.Status }
        $manifest = Get-ModelManifest -Local -Name $model @store -ErrorAction Ignore
        $from = if ($state -eq 'Saved' -and $manifest) { $manifest.Origin ?? "https://$($manifest.Host)" } else { $null }
        ConvertTo-Outcome $model $state $result $from ($problem | Select-Object -First 1)
    }
}

function Write-Log([string] $Machine, [string] $Text) {
    Write-Verbose "${Machine}: $Text"
    if ($LogPath) {
        $line = '{0:yyyy-MM-ddTHH:mm:ssZ} {1} {2}' -f [datetime]::UtcNow, $Machine, ($Text -replace '\s+', ' ')
        try {
            [System.IO.File]::AppendAllText($LogPath, $line + [System.Environment]::NewLine)
        }
        catch {
            Write-Warning "The log lacks a line: $($_.Exception.InnerException.Message) The line is: $line"
        }
    }
}

function ConvertTo-Row($Machine, $Outcome) {
    [pscustomobject]@{
        Host              = $Machine
        Model             = $Outcome.Model
        State             = $Outcome.State
        BytesReceived     = [long] $Outcome.BytesReceived
        BytesResumed      = [long] $Outcome.BytesResumed
        From              = $Outcome.From
        ErrorId           = $Outcome.ErrorId
        Error             = $Outcome.Error
        RecommendedAction = $Outcome.RecommendedAction
    }
}

# The table has a row for every host and model, whatever became of them.
function Complete-Machine($Machine, [string] $State, [string] $ErrorId, [string] $Why, [string] $Action) {
    foreach ($model in $Name | Where-Object { $Machine.Done -notcontains $_ }) {
        $row = ConvertTo-Row $Machine.Host @{ Model = $model; State = $State; ErrorId = $ErrorId; Error = $Why; RecommendedAction = $Action }
        Write-Log $Machine.Host "$model $State ${ErrorId}: $Why"
        $script:failed++
        $row
    }
}

# Waiting for a host that does not answer would hold up the others.
function Disconnect-Machine($Machine) {
    try {
        $Machine.Job.ChildJobs[0].Runspace.CloseAsync()
    }
    catch {
        Write-Verbose "$($Machine.Host): $_"
    }
}

if ($LogPath) {
    $LogPath = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($LogPath)
}

$save = @{ ThrottleLimit = $ConnectionLimit }
foreach ($parameter in 'Registry', 'StorePath', 'AllowUnencrypted') {
    if ($PSBoundParameters.ContainsKey($parameter)) {
        $save[$parameter] = if ($parameter -eq 'AllowUnencrypted') { [bool] $AllowUnencrypted } elseif ($parameter -eq 'Registry') { [string[]] $Registry } else { $StorePath }
    }
}

$connection = @{
    Options           = @{ BatchMode = 'yes'; ConnectTimeout = $ConnectionTimeoutSeconds; ServerAliveInterval = 15; ServerAliveCountMax = 4 } + $SshOption
    ConnectingTimeout = 1000 * ($ConnectionTimeoutSeconds + 30)
}
if ($KeyFilePath) {
    $connection.KeyFilePath = $KeyFilePath
}

$waiting = [System.Collections.Generic.Queue[string]]::new([string[]] @($HostName | ForEach-Object { "$_".Trim() } | Where-Object { $_ } | Select-Object -Unique))
if ($waiting.Count -eq 0) {
    # An error of this kind ends the script that called as well, which would end well otherwise.
    Write-Log '-' 'No host is named'
    throw 'No host is named.'
}

$running = [System.Collections.Generic.List[object]]::new()
$count = $waiting.Count
$script:failed = 0
$ended = 0
$bytes = 0L

# Of the first three hosts that one which has all models tells that the mirror has them too.
$first = if ($Registry) { 3 } else { 0 }
$sinceStart = [System.Diagnostics.Stopwatch]::StartNew()
Write-Log '-' "$count hosts, $($Name -join ', ')"
try {
    while ($waiting.Count -or $running.Count) {
        if ($first -and $sinceStart.Elapsed.TotalSeconds -ge $HeadStartSeconds) {
            $first = 0
            Write-Log '-' "No host has all models after $HeadStartSeconds seconds, so the others begin as well"
        }

        while ($waiting.Count -and $running.Count -lt $(if ($first) { 1 } else { $ThrottleLimit })) {
            $machine = @{ Host = $waiting.Dequeue(); Job = $null; Done = @(); Good = 0; Heard = [System.Diagnostics.Stopwatch]::StartNew(); HasAnswered = $false }
            try {
                $machine.Job = Invoke-Command -HostName $machine.Host @connection -AsJob -ScriptBlock $work -ArgumentList $Name, $save, $Repository, $ModuleVersion
                $running.Add($machine)
                Write-Log $machine.Host 'Started'
            }
            catch {
                Complete-Machine $machine Unreachable HostUnreachable $_.Exception.Message 'Check the name of the host.'
                $ended++
            }
        }

        foreach ($machine in @($running)) {
            # What is received once more after the end may still be something.
            $isEnded = $machine.Job.State -in 'Completed', 'Failed', 'Stopped', 'Disconnected'
            $lost = $null
            foreach ($item in Receive-Job $machine.Job -ErrorAction SilentlyContinue -ErrorVariable lost -WarningAction SilentlyContinue) {
                $machine.Heard.Restart()
                $machine.HasAnswered = $true
                if ($item.Event -eq 'Outcome') {
                    $machine.Done += $item.Model
                    $bytes += $item.BytesReceived
                    $isGood = $item.State -in 'Saved', 'AlreadyPresent'
                    $machine.Good += [int] $isGood
                    $script:failed += [int] (-not $isGood)
                    Write-Log $machine.Host "$($item.Model) $($item.State) $($item.BytesReceived) bytes received, $($item.BytesResumed) resumed$(if ($item.ErrorId) { ", $($item.ErrorId): $($item.Error)" })"
                    ConvertTo-Row $machine.Host $item
                }
                elseif ($item.Event -eq 'Progress') {
                    Write-Progress -Activity "$count hosts" -Status "$ended ended, $($running.Count) at work" -CurrentOperation "$($machine.Host): $($item.Text)" -PercentComplete (100 * $ended / $count)
                }
                elseif ($item.Event) {
                    Write-Log $machine.Host "$($item.Event): $($item.Text)"
                }
            }

            $isSilent = -not $isEnded -and $machine.Heard.Elapsed.TotalSeconds -gt $SilenceTimeoutSeconds
            if ($isEnded -or $isSilent) {
                [void] $running.Remove($machine)
                $ended++
                $first = if ($machine.Good -eq $Name.Count) { 0 } else { [Math]::Max(0, $first - 1) }
                if ($isSilent) {
                    Complete-Machine $machine Failed HostSilent "Nothing was heard of the host for $SilenceTimeoutSeconds seconds." 'Look at the host, and run the same command again: it goes on where it was.'

                    Disconnect-Machine $machine
                }
                else {
                    $why = "$($machine.Job.ChildJobs[0].JobStateInfo.Reason.Message)$(if (-not $machine.Job.ChildJobs[0].JobStateInfo.Reason) { $lost | Select-Object -First 1 })"
                    if ($machine.HasAnswered) {
                        Complete-Machine $machine Failed ConnectionLost $why 'Run the same command again: it goes on where it was.'
                    }
                    else {
                        Complete-Machine $machine Unreachable HostUnreachable $why "Run 'ssh $($machine.Host)' to see why; the host needs PowerShell as a subsystem of its SSH server."
                    }

                    Remove-Job $machine.Job -Force
                }
            }
        }

        Start-Sleep -Milliseconds 100
    }
}
finally {
    # Where the script is ended, nobody would hear of what still runs.
    $running | ForEach-Object { Disconnect-Machine $_ }
}

Write-Progress -Activity "$count hosts" -Completed
Write-Log '-' "Ended: $bytes bytes received, $script:failed of $($count * $Name.Count) failed"
if ($script:failed) {
    exit 1
}
